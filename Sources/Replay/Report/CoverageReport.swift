import Foundation

/// `check --coverage` as text.
public struct CoverageText {
  private let coverage: Coverage

  /// A report on what was gathered.
  public init(_ coverage: Coverage) { self.coverage = coverage }

  /// The lines.
  public var lines: [String] {
    let traces = coverage.traces.count
    var lines = [
      "coverage of \(traces) trace\(traces == 1 ? "" : "s"), "
        + "\(Figures.count(coverage.events)) events", "",
    ]
    lines += matrix(
      "steps of a table's teardown, by who held the table meanwhile",
      rows: coverage.visibleSteps, name: \.name,
      columns: TableHolder.allCases.filter(coverage.sees), columnName: \.name,
      cell: { coverage[$0, $1].count }, isReachable: { $0.isReachable(with: $1) })
    if !coverage.visibleReaders.isEmpty {
      lines += matrix(
        "what readers did to a table, by its state",
        rows: coverage.visibleReaders, name: \.name,
        columns: TableState.allCases, columnName: \.name,
        cell: { coverage[$0, $1].count }, isReachable: { $0.isReachable(in: $1) })
    }
    lines += [
      "never = did not happen, and could; ! = happened, and a sound kernel lets it not; blank = the rest",
      "",
    ]
    if !coverage.seesReaders {
      lines += ["These traces do not show who holds a table: no rd_enter, rd_exit, rd_load.", ""]
    }
    let holes = coverage.holes
    lines.append(holes.isEmpty ? "nothing is missing" : "never (\(holes.count)):")
    for hole in holes {
      lines.append("  " + hole.event + (hole.during.map { " while " + $0 } ?? ", at all"))
    }
    return lines
  }

  private func matrix<Row, Column>(
    _ title: String, rows: [Row], name: (Row) -> String, columns: [Column],
    columnName: (Column) -> String, cell: (Row, Column) -> Int, isReachable: (Row, Column) -> Bool
  ) -> [String] {
    var lines = [title]
    let width = 25
    lines.append(
      "  " + Figures.left("", width) + columns.map { Figures.right(columnName($0), 10) }.joined())
    for row in rows {
      let isSeen = columns.contains { cell(row, $0) > 0 }
      let cells = columns.map { column in
        let count = cell(row, column)
        let isDue = isReachable(row, column)
        if count > 0 { return Figures.right(Figures.count(count) + (isDue ? "" : "!"), 10) }
        return Figures.right(isDue && isSeen ? "never" : "", 10)
      }
      let text = "  " + Figures.left(name(row), width) + cells.joined()
      lines.append(String(text.reversed().drop { $0 == " " }.reversed()))
    }
    return lines + [""]
  }
}

/// `check --coverage --format json`: docs/COVERAGE.md says what is in it.
public struct CoverageJSON: Encodable {
  let traces: [String]
  let events: UInt64
  let seesReaders: Bool
  let steps: [RowJSON]
  let readers: [RowJSON]
  let never: [HoleJSON]

  struct RowJSON: Encodable {
    let event: String
    let cells: [CellJSON]
  }

  struct CellJSON: Encodable {
    /// Who holds the table, or its state.
    let during: String
    let count: Int
    /// A kernel that does what it should can bring it about.
    let possible: Bool
    let first: PlaceJSON?
  }

  struct PlaceJSON: Encodable {
    let file: String
    let ordinal: Int64
  }

  struct HoleJSON: Encodable {
    let event: String
    let during: String?
  }

  /// A report on what was gathered.
  public init(_ coverage: Coverage) {
    func cell(_ name: String, _ cell: Coverage.Cell, _ isPossible: Bool) -> CellJSON {
      CellJSON(
        during: name, count: cell.count, possible: isPossible,
        first: cell.first.map { PlaceJSON(file: $0.file, ordinal: $0.ordinal) })
    }
    traces = coverage.traces
    events = coverage.events
    seesReaders = coverage.seesReaders
    steps = coverage.visibleSteps.map { step in
      RowJSON(
        event: step.name,
        cells: TableHolder.allCases.filter(coverage.sees).map {
          cell($0.name, coverage[step, $0], step.isReachable(with: $0))
        })
    }
    readers = coverage.visibleReaders.map { step in
      RowJSON(
        event: step.name,
        cells: TableState.allCases.map {
          cell($0.name, coverage[step, $0], step.isReachable(in: $0))
        })
    }
    never = coverage.holes.map { HoleJSON(event: $0.event, during: $0.during) }
  }

  /// The object as UTF-8, keys sorted, with a line feed at the end.
  public func bytes() throws -> [UInt8] {
    let encoder = JSONEncoder()
    encoder.outputFormatting = [.sortedKeys, .prettyPrinted, .withoutEscapingSlashes]
    return try [UInt8](encoder.encode(self)) + [0x0a]
  }
}
