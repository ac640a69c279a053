import TraceFormat

/// What the second pass met and could not use.
struct ImportNotes {
  private(set) var unknown: [String: ImportReport.UnknownName] = [:]
  private(set) var badLines = 0
  private(set) var badExamples: [String] = []
  private static let unknownLimit = 1000

  /// Counts an event whose name is not known; `example` is asked for the first of each name only.
  mutating func note(_ name: Span<UInt8>, number: Int, example: () -> String) {
    let name = Self.text(name)
    if unknown[name] != nil {
      unknown[name]!.count += 1
    } else if unknown.count < Self.unknownLimit {
      unknown[name] = ImportReport.UnknownName(
        name: name, count: 1, firstLine: number, example: example())
    } else {
      let rest = ImportReport.UnknownName(
        name: "(others)", count: 0, firstLine: number, example: example())
      unknown["(others)", default: rest].count += 1
    }
  }

  mutating func noteBad(number: Int, example: () -> String) {
    badLines += 1
    if badExamples.count < 5 { badExamples.append("\(number): " + example()) }
  }

  /// The first 200 bytes of `bytes`.
  static func text(_ bytes: Span<UInt8>) -> String {
    String(decoding: (0..<min(bytes.count, 200)).map { bytes[$0] }, as: UTF8.self)
  }
}

extension ImportState: RecordConsumer {
  @inline(always)
  mutating func wantedFields(of index: Int) -> FieldSet {
    facts.ignores(probes[index]) ? [] : joinedFields[index]
  }

  mutating func take(_ index: Int, text: Span<UInt8>) throws {
    number += 1
    try take(probes[index], text: text)
    try openHoles(after: number)
  }

  mutating func takeUnknown(_ name: Span<UInt8>, example: () -> String) throws {
    number += 1
    try enter()
    notes.note(name, number: number, example: example)
    try openHoles(after: number)
  }

  mutating func takeFunction(_ name: Span<UInt8>, example: () -> String) throws {
    number += 1
    notes.note(name, number: number, example: example)
    try openHoles(after: number)
  }

  mutating func takeLoss(cpu: UInt16, count: UInt64?) throws {
    number += 1
    try closeHole(of: cpu, cause: .lostEvents)
  }

  mutating func takeBad(_ example: () -> String) throws {
    number += 1
    notes.noteBad(number: number, example: example)
    // What stands above the first event is no part of the recording.
    hasUnread = cpus.contains { $0.hasBegun }
  }

  mutating func takeComment(_ bytes: Span<UInt8>) throws { number += 1 }
}
