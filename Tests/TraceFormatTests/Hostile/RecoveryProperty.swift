@testable import TraceFormat

/// What recovery owes any bytes whatever: an error, or a sound file with every event it counts.
enum RecoveryProperty {
  /// Checks the bytes as they are, and with their checksums made right.
  static func check(_ bytes: [UInt8], in folder: TemporaryFolder) throws {
    try checkOnce(bytes, folder)
    let repaired = ChecksumRepair.repaired(bytes)
    if repaired != bytes { try checkOnce(repaired, folder) }
  }

  private static func checkOnce(_ bytes: [UInt8], _ folder: TemporaryFolder) throws {
    folder.replace("in.ptt", bytes)
    let report: RecoveryReport
    do {
      report = try TraceRecovery.recover(folder.file("in.ptt"), to: folder.file("out.ptt"))
    } catch let error as TraceError {
      try demand(!error.what.contains("does not read back"), "recovery wrote what it cannot read")
      return
    }
    let reader = try TraceReader(path: folder.file("out.ptt"))
    try demand(reader.isComplete, "the recovered file has no end")
    var recovered: [Event] = []
    var batch = EventBatch()
    while try reader.next(into: &batch) { recovered += batch.events }
    let told = UInt64(report.events) + UInt64(report.holeCount)
    try demand(
      UInt64(recovered.count) >= told && UInt64(recovered.count) <= told + UInt64(report.holeCount),
      "\(recovered.count) events are recovered, \(report.events) and \(report.holeCount) holes told"
    )
    try checkIntact(bytes, recovered, report)
  }

  /// Nothing is lost of a file that reads to its end.
  private static func checkIntact(
    _ bytes: [UInt8], _ recovered: [Event], _ report: RecoveryReport
  ) throws {
    let outcome = TraceFiles.read(bytes)
    guard outcome.error == nil else { return }
    try demand(!report.isLossy, "an intact file loses events")
    // Strings are numbered anew.
    func bare(_ event: Event) -> Event {
      var event = event
      if event.kind == .mark { event.object = 0 }
      return event
    }
    try demand(
      recovered.map(bare) == outcome.events.map(bare), "an intact file is recovered to another")
  }
}
