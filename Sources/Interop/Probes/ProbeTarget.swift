/// What is known of the machine that will be recorded. Nothing has to be.
public struct ProbeTarget: Sendable {
  /// Its architecture.
  public var architecture: Architecture
  /// Its kernel.
  public var version: KernelVersion?
  /// Functions by name, from `/proc/kallsyms`; nil if the file was not given.
  public var symbols: Set<String>?
  /// Functions ftrace can attach to, from `available_filter_functions`; nil if not given.
  public var traceable: Set<String>?
  /// `CONFIG_X` → value without the prefix; nil if the configuration was not given.
  public var config: [String: String]?
  /// Offsets from the kernel's BTF; nil if it was not given.
  public var members: [KernelMember: Int]?
  /// Number of NR_PAGETABLE from the kernel's BTF.
  public var nrPageTable: Int?

  /// Nothing but the architecture.
  public init(_ architecture: Architecture) { self.architecture = architecture }

  /// Reads the text of `/proc/kallsyms` (or a subset of it): address, type, name.
  public static func symbols(kallsyms text: String) -> Set<String> {
    var names: Set<String> = []
    for line in text.split(separator: "\n") {
      let words = line.split(separator: " ", maxSplits: 3)
      guard words.count >= 3, words[1].count == 1, "tTwW".contains(words[1]) else { continue }
      names.insert(String(words[2].split(separator: "\t")[0]))
    }
    return names
  }

  /// Reads the text of `available_filter_functions`.
  public static func functions(_ text: String) -> Set<String> {
    Set(text.split(separator: "\n").compactMap { $0.split(separator: " ").first.map(String.init) })
  }

  /// Reads a kernel configuration.
  public static func config(_ text: String) -> [String: String] {
    var config: [String: String] = [:]
    for line in text.split(separator: "\n") where line.hasPrefix("CONFIG_") {
      guard let equals = line.firstIndex(of: "=") else { continue }
      let name = line[line.index(line.startIndex, offsetBy: 7)..<equals]
      config[String(name)] = String(line[line.index(after: equals)...])
    }
    return config
  }

  /// Whether a function exists there; nil if no list was given.
  func has(_ symbol: String) -> Bool? {
    if symbols?.contains(symbol) == true || traceable?.contains(symbol) == true { return true }
    return symbols == nil ? nil : false
  }
}
