import TraceFormat

@testable import Interop

/// A capture as it would look had the recording gone worse: shorter, with probes that missed, with
/// holes, or out of a ring buffer that was too small.
///
/// Every damage here is one the kernel's tracer does, and it leaves behind what the tracer leaves:
/// miss counters, `LOST` lines, statistics, or just two numbers in the heading. So whatever a
/// kernel kept of its order, no damage may turn into a violation.
struct DamagedRecording {
  /// What stands in the text.
  enum Line {
    /// Index of a line of the capture.
    case event(Int)
    case lost(cpu: Int, count: Int)
    /// A line the capture has not.
    case more([UInt8])
  }

  /// What the text says of itself above its lines.
  enum Heading {
    case none
    /// `entries-in-buffer/entries-written`
    case counted
  }

  let text: RecordedText
  let folder: String
  private(set) var lines: [Line]
  private(set) var heading = Heading.counted
  /// Events each CPU lost at its start.
  private(set) var overwritten: [Int]
  private(set) var hasStatistics = true
  /// Missed hits by index of the probe's name.
  private(set) var misses: [Int: Int] = [:]
  /// Names of events that were not set up.
  private(set) var absent: Set<String> = []

  init(_ text: RecordedText, folder: String) {
    self.text = text
    self.folder = folder
    lines = text.lines.indices.map { .event($0) }
    overwritten = Array(repeating: 0, count: text.cpus)
  }
}

// MARK: Damages

extension DamagedRecording {
  /// The recording starts in the middle of lives and stops early. Nothing is lost.
  mutating func cutEdges(_ random: inout SplitMix64) {
    let start = random.below(lines.count / 2)
    let end = lines.count / 2 + random.below(lines.count - lines.count / 2)
    lines = Array(lines[start..<max(start, end)])
  }

  /// One hit of a probe in fifty is missed.
  mutating func missProbes(_ random: inout SplitMix64) {
    lines.removeAll { line in
      guard case .event(let index) = line, text.lines[index].isProbe, random.chance(1, in: 50)
      else { return false }
      misses[text.lines[index].name, default: 0] += 1
      return true
    }
  }

  /// One callback in five comes in the middle of a probe: all its own probes are missed, its trace
  /// points are not.
  mutating func missCallbacks(_ random: inout SplitMix64) {
    let starts = Set(["rcu_cb", "pte_free_now"].compactMap(text.index))
    let ends = Set(["rcu_cb_ret", "pte_free_now_ret"].compactMap(text.index))
    var isMissing = Array(repeating: false, count: overwritten.count)
    lines.removeAll { line in
      guard case .event(let index) = line else { return false }
      let event = text.lines[index]
      if starts.contains(event.name), random.chance(1, in: 5) { isMissing[event.cpu] = true }
      let isMissed = isMissing[event.cpu] && event.isProbe
      if ends.contains(event.name) { isMissing[event.cpu] = false }
      if isMissed { misses[event.name, default: 0] += 1 }
      return isMissed
    }
  }

  /// Read from `trace_pipe` by a slow reader: there are holes, each with its line and its count.
  mutating func loseEvents(_ random: inout SplitMix64) {
    heading = .none
    hasStatistics = false
    var result: [Line] = []
    var left = Array(repeating: 0, count: overwritten.count)
    var lost = Array(repeating: 0, count: overwritten.count)
    for line in lines {
      guard case .event(let index) = line else { continue }
      let cpu = text.lines[index].cpu
      if lost[cpu] == 0, random.chance(8, in: 10_000) { left[cpu] = 1 + random.below(400) }
      if left[cpu] > 0 {
        left[cpu] -= 1
        lost[cpu] += 1
        continue
      }
      if lost[cpu] > 0 { result.append(.lost(cpu: cpu, count: lost[cpu])) }
      lost[cpu] = 0
      result.append(line)
    }
    for cpu in lost.indices where lost[cpu] > 0 {
      result.append(.lost(cpu: cpu, count: lost[cpu]))
    }
    lines = result
  }

  /// The ring buffers wrapped, each CPU's at its own time; the statistics say how much is gone.
  mutating func overwriteStart(_ random: inout SplitMix64) {
    let starts = overwritten.indices.map { _ in random.below(lines.count) }
    var kept: [Line] = []
    for (place, line) in lines.enumerated() {
      if case .event(let index) = line, place < starts[text.lines[index].cpu] {
        overwritten[text.lines[index].cpu] += 1
      } else {
        kept.append(line)
      }
    }
    lines = kept
  }

  /// The same without statistics: the heading alone says that something is gone.
  mutating func overwriteStartUncounted(_ random: inout SplitMix64) {
    overwriteStart(&random)
    hasStatistics = false
  }

  /// Some probes or trace points were never set up.
  mutating func setUpFewer(_ random: inout SplitMix64) {
    for _ in 0...random.below(5) { absent.insert(text.names[random.below(text.names.count)]) }
    let names = Set(absent.compactMap(text.index))
    lines.removeAll {
      guard case .event(let index) = $0 else { return false }
      return names.contains(text.lines[index].name)
    }
  }

  /// The filters of the statistic's probes were not set, or a tool cleared them: each change of
  /// each statistic gives a line of both.
  mutating func clearFilters(_ random: inout SplitMix64) {
    let twins = ["pt_ctor": "pt_dtor", "pt_dtor": "pt_ctor"]
    var result: [Line] = []
    for line in lines {
      result.append(line)
      guard case .event(let index) = line, let twin = twins[text.names[text.lines[index].name]]
      else { continue }
      let own = String(decoding: text.bytes[text.lines[index].range], as: UTF8.self)
      let name = text.names[text.lines[index].name]
      result.append(
        .more(
          Array(
            own.replacing("\(name):", with: "\(twin):")
              .replacing(" \(name) ", with: " \(twin) ").utf8)))
      let statistic = [3, 13, 17, 18, 39][random.below(5)]
      let words = own.split(separator: " ", omittingEmptySubsequences: false).map {
        $0.hasPrefix("idx=") ? "idx=\(statistic)" : $0
      }
      result.append(.more(Array(words.joined(separator: " ").utf8)))
    }
    lines = result
  }

  /// Everything at once that can happen to one recording.
  mutating func damageAll(_ random: inout SplitMix64) {
    cutEdges(&random)
    missProbes(&random)
    missCallbacks(&random)
    switch random.below(3) {
    case 0: loseEvents(&random)
    case 1: overwriteStart(&random)
    default: overwriteStartUncounted(&random)
    }
  }
}

// MARK: What is left

extension DamagedRecording {
  /// Queued tables whose destructor is seen before them on the same CPU, with no hole of that CPU
  /// in between: what shows an early destructor whatever else is missing.
  var destructorsBeforeQueue: Int {
    guard absent.isEmpty, let construct = text.index(of: "pt_ctor"),
      let destruct = text.index(of: "pt_dtor"),
      let queue = text.index(of: "tlb_table")
    else { return 0 }
    var destructed: [Substring: Int] = [:]
    var count = 0
    for line in lines {
      switch line {
      case .lost(let cpu, _): destructed = destructed.filter { $0.value != cpu }
      case .more: break
      case .event(let index):
        let event = text.lines[index]
        if event.name == construct, let table = value("folio=", event) {
          destructed[table] = nil
        } else if event.name == destruct, let table = value("folio=", event) {
          destructed[table] = event.cpu
        } else if event.name == queue, let table = value("table=", event),
          destructed.removeValue(forKey: table) == event.cpu
        {
          count += 1
        }
      }
    }
    return count
  }

  private func value(_ key: String, _ line: RecordedText.Line) -> Substring? {
    let text = String(decoding: self.text.bytes[line.range], as: UTF8.self)
    return text.split(separator: " ").first { $0.hasPrefix(key) }?.dropFirst(key.utf8.count)
  }

  /// The text, and the files a recording script leaves beside it, in a folder of their own.
  func write() throws -> TemporaryFile {
    let file = try TemporaryFile(bytes)
    if let command = ByteSource.small("\(folder)/cmd.txt") { file.add(command, name: "cmd.txt") }
    for name in ["kprobe_events.txt", "dynamic_events.txt", "kprobe_profile.before"] {
      guard let bytes = ByteSource.small("\(folder)/\(name)") else { continue }
      let kept = bytes.split(separator: 0x0A).filter { line in
        // `p:pt/NAME symbol …`, or `  NAME hits misses`.
        let word = line.split(separator: 0x20).first ?? []
        let name = word.split(separator: 0x2F).last ?? []
        return !absent.contains(String(decoding: name, as: UTF8.self))
      }
      file.add(Array(kept.joined(separator: [0x0A])), name: name)
    }
    if let profile = ByteSource.small("\(folder)/kprobe_profile.txt") {
      file.add(self.profile(profile), name: "kprobe_profile.txt")
    }
    if hasStatistics { file.add(statistics, name: "stats.txt") }
    return file
  }

  private var bytes: [UInt8] {
    var result: [UInt8] = []
    result.reserveCapacity(text.bytes.count)
    func add(_ line: String) { result += Array(line.utf8) + [0x0A] }
    if heading == .counted {
      let written = lines.count + overwritten.reduce(0, +)
      for comment in text.comments {
        add(
          comment.contains("entries-in-buffer/")
            ? "# entries-in-buffer/entries-written: \(lines.count)/\(written)   #P:\(text.cpus)"
            : comment)
      }
    }
    for line in lines {
      switch line {
      case .event(let index):
        result += text.bytes[text.lines[index].range]
        result.append(0x0A)
      case .lost(let cpu, let count): add("CPU:\(cpu) [LOST \(count) EVENTS]")
      case .more(let bytes): result += bytes + [0x0A]
      }
    }
    return result
  }

  private var statistics: [UInt8] {
    var entries = Array(repeating: 0, count: overwritten.count)
    for case .event(let index) in lines { entries[text.lines[index].cpu] += 1 }
    var result = ""
    for cpu in entries.indices {
      result += """
        == cpu\(cpu)
        entries: \(entries[cpu])
        overrun: \(overwritten[cpu])
        commit overrun: 0
        dropped events: 0
        read events: 0

        """
    }
    return Array(result.utf8)
  }

  /// The counters of the capture with the new misses added.
  private func profile(_ original: [UInt8]) -> [UInt8] {
    var result = ""
    for line in String(decoding: original, as: UTF8.self).split(separator: "\n") {
      let words = line.split(separator: " ")
      guard words.count == 3, let count = Int(words[2]), !absent.contains(String(words[0])) else {
        continue
      }
      let more = text.index(of: String(words[0])).flatMap { misses[$0] } ?? 0
      result += "  \(words[0])  \(words[1])  \(count + more)\n"
    }
    return Array(result.utf8)
  }
}
