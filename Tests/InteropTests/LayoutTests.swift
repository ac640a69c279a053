import Testing
import TraceFormat

@testable import Interop

/// The same recording, printed another way, gives the same events.
@Suite struct LayoutTests {
  static let samples = [
    "7.2-riscv64-kprobe-small-munmap", "6.12-riscv64-bpf-small-munmap", "chain-S3-small-munmap",
    "7.2-arm64-small-munmap",
  ]

  /// An event line taken apart; lines of another form are nil.
  private struct Parts {
    var comm: Substring
    var pid: Substring
    var group: String
    var cpu: String
    var flags: Substring
    var time: Substring
    var rest: Substring

    /// No command in these captures has a blank in its name.
    init?(_ line: Substring) {
      guard line.first != "#" else { return nil }
      // "(    109)" is one word.
      let whole = line.replacing(/\( +/, with: "(")
      var words = whole.split(separator: " ")
      guard words.count > 5, let dash = words[0].lastIndex(of: "-") else { return nil }
      comm = words[0][..<dash]
      pid = words[0][words[0].index(after: dash)...]
      group = ""
      while words[1].first != "[" { group += words.remove(at: 1) }
      cpu = String(words[1])
      flags = words[2]
      time = words[3].dropLast()
      rest = whole[words[4].startIndex...]
    }

    var text: String {
      let left = String(repeating: " ", count: max(0, 16 - comm.count))
      return "\(left)\(comm)-\(pid) \(group) \(cpu) \(flags) \(time): \(rest)"
    }
  }

  /// Compares the events of a capture with those of the same lines printed anew.
  private func compare(
    _ name: String, contexts: Bool = true, without: Set<EventKind> = [],
    _ change: (inout Parts) -> Void, line: (Parts) -> String = { $0.text },
    location: SourceLocation = #_sourceLocation
  ) throws {
    var options = ImportOptions()
    options.sideFiles = false
    let expected = try Samples.importPath(Samples.path(name), options)
    let text = String(decoding: Samples.text(name), as: UTF8.self)
    var lines: [String] = []
    for original in text.split(separator: "\n") {
      guard var parts = Parts(original) else { continue }
      change(&parts)
      lines.append(line(parts))
    }
    let found = try Samples.importText(lines.joined(separator: "\n") + "\n", options: options)
    #expect(found.report.badLines == 0 && found.report.badValues == 0, sourceLocation: location)
    func what(_ event: Event) -> [UInt64] {
      [
        UInt64(event.kind.rawValue), event.object, UInt64(event.generation), event.arg0, event.arg1,
        UInt64(event.cpu), UInt64(event.task), UInt64(event.level.rawValue),
        UInt64(event.flags.rawValue), contexts ? UInt64(event.context.rawValue) : 0,
      ]
    }
    let old = expected.trace.events.filter { !without.contains($0.kind) }
    let new = found.trace.events.filter { !without.contains($0.kind) }
    let differs = zip(old, new).first { what($0) != what($1) }
    #expect(differs == nil, "\(name)", sourceLocation: location)
    #expect(new.count == old.count && new.count > 1000, sourceLocation: location)
  }

  @Test(arguments: samples) func withoutThreadGroup(_ name: String) throws {
    try compare(name) {
      $0.group = ""
    } line: {
      $0.text.replacing("  [", with: " [")
    }
  }

  @Test(arguments: samples) func withOddCommands(_ name: String) throws {
    let odd: [Substring] = [
      "# x", "CPU:0 [LOST 3", "a-1 [000] d", "1-2 [001] .....", "x: y", "-5", "=> f", "(sd-pam)",
      "k/1:2-3", "Web Content", "é中",
    ]
    try compare(name) { parts in
      guard ["sh", "ptwork", "busybox"].contains(parts.comm) else { return }
      parts.comm = odd[Int(parts.pid)! % odd.count]
    }
  }

  @Test(arguments: samples) func withoutNames(_ name: String) throws {
    // What runs as a kernel thread is known by its name alone.
    try compare(name, contexts: false) { $0.comm = "<...>" }
  }

  @Test(arguments: samples) func withCounterClock(_ name: String) throws {
    var count = 0
    try compare(name) { parts in
      count += 1
      parts.time = "\(count)"
    }
  }

  /// As trace-cmd prints a riscv64 or arm64 recording on another machine.
  @Test(arguments: samples) func asTraceCmdReportPrintsIt(_ name: String) throws {
    // It prints the flags of an allocation as a number, which says less of its use.
    try compare(name, without: [.pageReuse]) { parts in
      var words = parts.rest.split(separator: " ")
      for index in words.indices {
        if words[index].hasPrefix("(") || words[index].hasPrefix("func=") {
          words[index] = words[index].split(separator: "/")[0]
          if words[index].hasPrefix("(") { words[index] += ")" }
        } else if words[0].hasPrefix("mm_page"), words[index].hasPrefix("page=") {
          words[index] = "[FAILED TO PARSE]"
        } else if words[index].hasPrefix("gfp_flags="), words[0].hasPrefix("mm_page") {
          words[index] = "gfp_flags=0x440dc0"
        }
      }
      parts.rest = Substring(words.joined(separator: " "))
    }
  }
}
