/// Names that causes and findings keep from one run to the next, and from one trace to the next.
///
/// They are made of the invariant, the cause and the object, and of nothing else: not of ordinals,
/// times, counts, files or the order of findings. A cause that is put into other words is another
/// cause.
public enum FindingID {
  /// Name of a cause: `I13-9c41d0e2`. Numbers in the phrase do not count.
  public static func cause(_ invariant: String, _ cause: String) -> String {
    var hash: UInt32 = 0x811c_9dc5
    var inNumber = false
    for byte in cause.utf8 {
      let isDigit = byte >= UInt8(ascii: "0") && byte <= UInt8(ascii: "9")
      defer { inNumber = isDigit }
      if isDigit, inNumber { continue }
      // FNV-1a.
      hash = (hash ^ UInt32(isDigit ? UInt8(ascii: "0") : byte)) &* 0x0100_0193
    }
    let digits = String(hash, radix: 16)
    return invariant + "-" + String(repeating: "0", count: 8 - digits.count) + digits
  }

  /// Names of findings of one cause, in the order of the trace:
  /// `I13-9c41d0e2-table-0x81d79.1`, and `….2` … after a `~` for what happens again to the same
  /// life. What has no object is numbered.
  public static func findings(_ cause: String, _ subjects: some Sequence<Subject>) -> [String] {
    var seen: [Subject: Int] = [:]
    var places = 0
    return subjects.map { subject in
      guard subject.kind != .place else {
        places += 1
        return "\(cause)-\(places)"
      }
      let times = seen[subject, default: 0] + 1
      seen[subject] = times
      return "\(cause)-\(subject.kind.rawValue)-\(Figures.hex(subject.key)).\(subject.generation)"
        + (times > 1 ? "~\(times)" : "")
    }
  }
}
