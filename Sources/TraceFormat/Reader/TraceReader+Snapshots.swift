/// Snapshots of what has to be known in order to begin in the middle.
extension TraceReader {
  /// What has to be known of the events before an ordinal in order to follow the trace from there:
  /// the last snapshot that is intact and not behind it. Nil if there is none: then the trace has
  /// to be followed from its start. Of a pipe there is one at most, that of its first event.
  public func history(before ordinal: UInt64) -> TraceHistory? {
    guard input.isSeekable else {
      return historyOfPipe.flatMap { $0.ordinal <= ordinal ? $0 : nil }
    }
    for entry in snapshots.reversed() where entry.ordinal <= ordinal {
      if let history = try? loader.history(entry) { return history }
    }
    return nil
  }

  /// Reads every snapshot; throws ``TraceError`` for the first that is damaged. Only of a file.
  public func verifySnapshots() throws {
    guard input.isSeekable else { return }
    for entry in snapshots {
      do {
        _ = try loader.history(entry)
      } catch let problem as FormatProblem {
        throw TraceError(
          file: input.name, what: "snapshot at byte \(entry.offset): \(problem.what)",
          hint: "every event is intact; 'tracetool recover' makes a file without it")
      }
    }
  }

  /// A part of a longer trace says at its start what was before.
  func readHistoryOfPipe() {
    guard header.firstOrdinal != nil else { return }
    do {
      let section = try loader.section(at: offset)
      guard case .snapshot(let snapshot, let dataOffset, let length) = section else {
        pending = section
        return
      }
      try check(snapshot.entry)
      historyOfPipe = try loader.history(snapshot, at: dataOffset, length)
      offset = snapshot.entry.endOffset
    } catch {
      state = .failed(explain(error, at: offset))
    }
  }

  /// Checks a snapshot against the index, or makes it the next entry.
  func check(_ entry: SnapshotEntry) throws(FormatProblem) {
    if blocksRead < index.count || (input.isSeekable && isComplete) {
      guard snapshots.contains(entry) else {
        throw FormatProblem("the snapshot is not one the index names")
      }
    } else if snapshots.last.map({ $0.offset < entry.offset }) ?? true {
      try checkFollows(entry)
      snapshots.append(entry)
    }
  }

  /// Checks that a snapshot is of the place where it lies.
  func checkFollows(_ entry: SnapshotEntry) throws(FormatProblem) {
    guard entry.ordinal == endOrdinal else {
      throw FormatProblem("the snapshot is of event \(entry.ordinal), out of order")
    }
  }
}
