/// What the files beside a capture say.
///
/// They are named as the recording scripts name them, with or without `.txt`, and lie in the folder
/// of the trace. None has to be there.
struct SideFiles {
  /// One CPU of `stats.txt`.
  struct CPUStatistics: Equatable {
    var cpu: Int
    var entries: UInt64 = 0
    var overrun: UInt64 = 0
    var commitOverrun: UInt64 = 0
    var dropped: UInt64 = 0
    var read: UInt64 = 0
  }

  /// Hits and misses of one kprobe.
  struct ProbeCounts: Equatable {
    var hits: UInt64
    var misses: UInt64
  }

  /// A probe somebody defined.
  enum Definition: Equatable {
    case kprobe
    case fprobe
  }

  var statistics: [CPUStatistics] = []
  var profile: [String: ProbeCounts]?
  /// The counters before the recording; without them `profile` also counts what was before.
  var profileBefore: [String: ProbeCounts]?
  var definitions: [String: Definition] = [:]
  /// Name the definition gives a register, if any: says which architecture it was.
  var arch: String?
  var clock: String?
  /// Kernel release.
  var kernel: String?
  /// Name of the machine, unless it has none.
  var host: String?
  /// Which boot of the machine it was.
  var boot: String?
  /// The kernel's symbols, for traces that hold none.
  var kallsyms: [UInt8]? { readKallsyms?() }
  private var readKallsyms: (() -> [UInt8]?)?
  var workload: String?
  var isPipe = false
  /// Why events may be missing without any sign of it, whoever wrote them.
  var hidesLosses: String?
  /// Recording had stopped when the trace was read: every CPU is there to its end.
  var isReadToEnd = false
  /// Whether ptlocks are objects of their own, as the kernel's symbols tell.
  var hasLockObjects: Bool?
  /// Events the command file says were switched off.
  var disabled: Set<String> = []

  /// No side files.
  init() {}

  /// Reads what lies beside `source`, or what `options` say lies there.
  init(beside source: ByteSource, _ options: ImportOptions) {
    guard options.sideFiles else { return }
    let read = options.beside ?? Self.folder(of: source.name)
    // A file of tracefs has no suffix; the scripts give it one.
    let lines = { (name: String) in
      Self.lines(read(name + ".txt") ?? read(name) ?? [])
    }
    readStatistics(lines("stats"))
    profile = Self.profile(lines("kprobe_profile"))
    profileBefore = Self.profile(lines("kprobe_profile.before"))
    readDefinitions(lines("kprobe_events"))
    readDefinitions(lines("dynamic_events"))
    readSystem(lines("uname"))
    boot = lines("boot_id").first.map(String.init) ?? boot
    readClock(lines("trace_clock"))
    readCommand(lines("cmd"))
    hasLockObjects = Self.lockObjects(read)
    readKallsyms = {
      for name in ["kallsyms", "kallsyms-subset"] {
        for suffix in ["", ".txt", ".zst", ".txt.zst", ".gz"] {
          if let bytes = read(name + suffix) { return bytes }
        }
      }
      return nil
    }
  }

  /// Takes what the recording script put into the trace itself.
  mutating func take(_ embedded: EmbeddedFiles) {
    let lines = { (name: String) in Self.lines(embedded[name] ?? []) }
    if embedded["stats"] != nil {
      statistics = []
      readStatistics(lines("stats"))
      // A stream that was read until no CPU had anything left has no ragged end.
      isReadToEnd = !statistics.isEmpty && statistics.allSatisfy { $0.entries == 0 }
    }
    profile = Self.profile(lines("kprobe_profile")) ?? profile
    profileBefore = Self.profile(lines("kprobe_profile.before")) ?? profileBefore
    readDefinitions(lines("kprobe_events"))
    readDefinitions(lines("dynamic_events"))
    readSystem(lines("uname"))
    boot = lines("boot_id").first.map(String.init) ?? boot
    readClock(lines("trace_clock"))
    readCommand(lines("cmd"))
  }

  private static func folder(of path: String) -> @Sendable (String) -> [UInt8]? {
    let folder = path.lastIndex(of: "/").map { String(path[...$0]) } ?? ""
    return { name in path == "-" ? nil : ByteSource.small(folder + name, limit: 64 << 20) }
  }

  /// Misses of `probe` during the recording (or since boot, without a count from before).
  func misses(of probe: String) -> UInt64? {
    guard let after = profile?[probe] else { return nil }
    let before = profileBefore?[probe]?.misses ?? 0
    return after.misses >= before ? after.misses - before : after.misses
  }

  /// Hits of `probe` during the recording (or since boot, without a count from before).
  func hits(of probe: String) -> UInt64? {
    guard let after = profile?[probe] else { return nil }
    let before = profileBefore?[probe]?.hits ?? 0
    return after.hits >= before ? after.hits - before : after.hits
  }

  private static func lines(_ bytes: [UInt8]) -> [Substring] {
    String(decoding: bytes, as: UTF8.self).split(separator: "\n")
  }

  /// `Linux NAME RELEASE … MACHINE [GNU/Linux]`, as `uname -a` prints it.
  private mutating func readSystem(_ lines: [Substring]) {
    guard let words = lines.first.map(Self.words), words.count >= 4, words[0] == "Linux" else {
      return
    }
    host = Self.host(words[1])
    kernel = String(words[2])
    let machines = ["riscv64": "riscv64", "x86_64": "x86_64", "aarch64": "arm64"]
    for word in words { arch = machines[String(word)] ?? arch }
  }

  /// A node's name; nil for the names a machine has that was given none.
  static func host(_ name: Substring) -> String? {
    ["(none)", "localhost"].contains(name) ? nil : String(name)
  }

  /// `local global [mono]`: the one in brackets.
  private mutating func readClock(_ lines: [Substring]) {
    for word in lines.first.map(Self.words) ?? [] where word.hasPrefix("[") && word.hasSuffix("]") {
      clock = String(word.dropFirst().dropLast())
    }
  }

  private static func words(_ line: Substring) -> [Substring] {
    line.split(whereSeparator: { $0 == " " || $0 == "\t" })
  }

  /// Takes the statistics a trace brings along, one text for each CPU, in place of a file's.
  mutating func readStatistics(_ texts: [String]) {
    statistics = []
    for text in texts { readStatistics(text.split(separator: "\n")) }
  }

  private mutating func readStatistics(_ lines: [Substring]) {
    for line in lines {
      if line.hasPrefix("== cpu"), let cpu = Int(line.dropFirst(6)) {
        statistics.append(CPUStatistics(cpu: cpu))
      } else if line.hasPrefix("CPU: "), let cpu = Int(line.dropFirst(5)) {
        statistics.append(CPUStatistics(cpu: cpu))
      }
      guard !statistics.isEmpty, let colon = line.firstIndex(of: ":"),
        let value = UInt64(line[line.index(after: colon)...].filter { $0 != " " })
      else { continue }
      let last = statistics.count - 1
      switch line[..<colon] {
      case "entries": statistics[last].entries = value
      case "overrun": statistics[last].overrun = value
      case "commit overrun": statistics[last].commitOverrun = value
      case "dropped events": statistics[last].dropped = value
      case "read events": statistics[last].read = value
      default: break
      }
    }
  }

  private static func profile(_ lines: [Substring]) -> [String: ProbeCounts]? {
    guard !lines.isEmpty else { return nil }
    var profile: [String: ProbeCounts] = [:]
    for line in lines {
      let words = words(line)
      guard words.count == 3, let hits = UInt64(words[1]), let misses = UInt64(words[2]) else {
        continue
      }
      profile[String(words[0])] = ProbeCounts(hits: hits, misses: misses)
    }
    return profile
  }

  /// `p:pt/NAME symbol …`, `r10:pt/NAME …` are kprobes; `f:` and `t:` are fprobes.
  private mutating func readDefinitions(_ lines: [Substring]) {
    for line in lines {
      guard let first = Self.words(line).first, let slash = first.firstIndex(of: "/"),
        let type = first.first
      else { continue }
      let name = String(first[first.index(after: slash)...])
      switch type {
      case "p", "r": definitions[name] = .kprobe
      case "f", "t": definitions[name] = .fprobe
      default: continue
      }
      if line.contains("%a0") || line.contains("%ra") { arch = "riscv64" }
      if line.contains("%x30") || line.contains("%x0") { arch = "arm64" }
      if line.contains("$stack0") || line.contains("%di") { arch = "x86_64" }
    }
  }

  /// First line: `[trace_pipe] CLOCK buf=N cmd: COMMAND [extra=[…] noev=[…] …]`.
  private mutating func readCommand(_ lines: [Substring]) {
    guard let line = lines.first, let mark = line.range(of: " cmd: ") else { return }
    var words = Self.words(line[..<mark.lowerBound])
    if words.first == "trace_pipe" {
      isPipe = true
      words.removeFirst()
    }
    if let first = words.first, !first.contains("=") { clock = String(first) }
    var command = line[mark.upperBound...]
    if let options = command.range(of: " extra=[") { command = command[..<options.lowerBound] }
    workload = String(command)
    guard let start = line.range(of: " noev=["),
      let end = line[start.upperBound...].firstIndex(of: "]")
    else { return }
    for word in Self.words(line[start.upperBound..<end]) {
      let cut = word.lastIndex(where: { $0 == ":" || $0 == "/" })
      disabled.insert(String(cut.map { word[word.index(after: $0)...] } ?? word))
    }
  }
}

extension Substring {
  /// First place where `text` occurs.
  fileprivate func range(of text: String) -> Range<Index>? {
    var at = startIndex
    while at < endIndex {
      if self[at...].hasPrefix(text) { return at..<index(at, offsetBy: text.count) }
      at = index(after: at)
    }
    return nil
  }
}
