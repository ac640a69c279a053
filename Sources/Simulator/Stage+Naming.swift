public import TraceFormat

extension Stage {
  /// Every stage, in historical order.
  public static let all: [Stage] = [
    s0a, s0b, s1sbi, s1ipi, s2h, s3sbi, s3ipi, s3g, s4, s5, s6,
  ]

  /// Builds of a stage that differ in one option.
  public static let variants: [Stage] = [s6sync]

  /// The stage with this label, commit hash or kernel version.
  ///
  /// Labels ignore case; a bare `S1` or `S3` is the SBI build; a stage that has one label for
  /// both transports also takes `.sbi` and `.ipi`. A hash is given in full or by at least seven
  /// digits; it names the stage a tree is in *after* that commit. A version is `v6.12`, `6.12` or
  /// `6.12.107`.
  ///
  /// - Throws: ``TraceError`` that lists the valid names.
  public init(named name: String) throws(TraceError) {
    let wanted = name.lowercased()
    guard
      let stage = Self.labelled(wanted) ?? Self.committed(wanted) ?? Self.released(wanted)
    else {
      let labels = (Self.all + Self.variants).map(\.label).joined(separator: ", ")
      throw TraceError(
        file: name, what: "is not a stage",
        hint: "stages are \(labels); a kernel version (v6.12) or a commit of the series "
          + "(deab5a355e52) is accepted too")
    }
    self = stage
  }

  private static func labelled(_ name: String) -> Stage? {
    let bare = ["s1": "s1.sbi", "s3": "s3.sbi", "s3g.sbi": "s3g", "s3g.ipi": "s3.ipi"]
    let label = bare[name] ?? name
    if let stage = (all + variants).first(where: { $0.label.lowercased() == label }) {
      return stage
    }
    for (suffix, transport) in [(".sbi", Transport.sbi), (".ipi", Transport.ipi)] {
      guard label.hasSuffix(suffix) else { continue }
      let stem = label.dropLast(suffix.count)
      guard !stem.contains("."), var stage = all.first(where: { $0.label.lowercased() == stem })
      else { return nil }
      stage.transport = transport
      stage.label += suffix
      return stage
    }
    return nil
  }

  /// Defining commits (kernel-facts §0); hashes known in full are given in full.
  private static let commits: [(hash: String, stage: Stage)] = [
    ("8246601a7d39", s0b),
    ("40d1bb92a493", s1sbi), ("69be3fb111e7", s1sbi), ("3f910b7a522e", s1sbi),
    ("dc892fb44322", s1sbi), ("aaa56c8f378d", s1sbi),
    ("deab5a355e5283d3802203b2be599611ad8af861", s3sbi),
    ("2dccdf7076f6", s3g), ("92ec7fd136a1", s3g), ("e74e17310120", s3g), ("553e77529fb6", s3g),
    ("4239c198e8410b2b5a2b638daf8777e6407d9fc7", s4), ("02d9e1a2048e", s4),
    ("1fb3d8c20bfa", s6),
  ]

  private static func committed(_ name: String) -> Stage? {
    guard (7...40).contains(name.utf8.count), name.allSatisfy(\.isHexDigit) else { return nil }
    // A full hash is compared as far as the table knows it (twelve digits at least).
    return commits.first { $0.hash.hasPrefix(name) || name.hasPrefix($0.hash) }?.stage
  }

  private static func released(_ name: String) -> Stage? {
    let digits = name.hasPrefix("v") ? name.dropFirst() : Substring(name)
    let release = digits.prefix { $0 != "-" && $0 != "+" }
    let parts = release.split(separator: ".", omittingEmptySubsequences: false)
    let numbers = parts.compactMap { $0.allSatisfy(\.isASCII) ? Int($0) : nil }
    guard (2...3).contains(parts.count), numbers.count == parts.count,
      numbers.allSatisfy({ $0 >= 0 })
    else { return nil }
    switch (numbers[0], numbers[1]) {
    case (..<6, _), (6, ...7): return s0a
    case (6, 8): return s0b
    case (6, 9...13): return s1sbi
    case (6, 14): return s3sbi
    case (6, 15...): return s4
    case (7, 0): return s5
    default: return s6
    }
  }
}
