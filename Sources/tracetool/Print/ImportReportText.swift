import Interop
import TraceFormat

/// Prints what an import met: one line each, the most important first.
enum ImportReportText {
  /// Entries of a list that are printed; the rest is counted.
  private static let listed = 8

  /// The lines of a report.
  static func lines(_ result: ImportResult) -> [String] {
    let report = result.report
    var lines = [
      "\(report.lines) \(report.unit)s, \(report.eventLines) of them events; "
        + "\(report.events) events written, \(report.inferred) of them inferred"
    ]
    lines += list(report.losses.count, "losses") { describe(report.losses[$0], report.unit) }
    for (name, misses) in sorted(result.header.capabilities.misses) where misses > 0 {
      let bound = result.header.capabilities.missesAreCumulative ? "at most " : ""
      lines.append("missed: \(bound)\(misses) \(name)")
    }
    lines += list(report.unknown.count, "kinds of unknown events") {
      let unknown = report.unknown[$0]
      return "not understood: \(unknown.count) × \(unknown.name), "
        + "first in \(report.unit) \(unknown.firstLine)"
    }
    if report.badLines > 0 {
      let example = report.badExamples.first.map { ", such as \($0)" } ?? ""
      lines.append(
        "not understood: \(report.badLines) \(report.unit)s that are no events\(example)")
    }
    if report.badValues > 0 {
      lines.append("not understood: \(report.badValues) events whose values make no sense")
    }
    return lines + report.remarks
  }

  /// What only `-v` shows.
  static func details(_ report: ImportReport) -> [String] {
    report.read.map { "read: \($0.count) × \($0.name)" }
      + report.ignored.map { "not needed: \($0.count) × \($0.name)" }
  }

  private static func describe(_ loss: ImportReport.Loss, _ unit: String) -> String {
    let count = loss.count.map { "\($0) events" } ?? "an unknown number of events"
    let place = loss.afterLine == 0 ? "before \(unit) 1" : "after \(unit) \(loss.afterLine)"
    return "lost: \(count) on CPU \(loss.cpu) \(place)"
  }

  private static func list(_ count: Int, _ what: String, _ line: (Int) -> String) -> [String] {
    let lines = (0..<min(count, listed)).map(line)
    return count > listed ? lines + ["and \(count - listed) more \(what)"] : lines
  }
}
