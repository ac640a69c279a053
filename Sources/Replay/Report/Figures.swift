public import TraceFormat

/// How numbers, times and addresses are written in every report.
public enum Figures {
  /// `8,116`.
  public static func count(_ value: some BinaryInteger) -> String {
    var digits = String(value.magnitude)
    var place = digits.count - 3
    while place > 0 {
      digits.insert(",", at: digits.index(digits.startIndex, offsetBy: place))
      place -= 3
    }
    return (value < 0 ? "-" : "") + digits
  }

  /// A duration in clock units, as a person reads it: `48.0 ms`, or bare units of a counter.
  public static func duration(_ units: UInt64, _ clock: Clock) -> String {
    guard let perSecond = clock.unitsPerSecond, perSecond > 0 else { return "\(units) ticks" }
    let nanoseconds = Double(units) / Double(perSecond) * 1e9
    switch nanoseconds {
    case ..<1_000: return "\(Int(nanoseconds)) ns"
    case ..<1_000_000: return fixed(nanoseconds / 1e3) + " us"
    case ..<1_000_000_000: return fixed(nanoseconds / 1e6) + " ms"
    default: return fixed(nanoseconds / 1e9) + " s"
    }
  }

  /// A time stamp, `13.273246000`, or the bare number of a counter.
  public static func time(_ units: UInt64, _ clock: Clock) -> String {
    guard let perSecond = clock.unitsPerSecond, perSecond > 0 else { return String(units) }
    guard perSecond > 1 else { return String(units) }
    var fraction = units % perSecond
    var width = String(perSecond - 1).count
    if !String(perSecond - 1).allSatisfy({ $0 == "9" }) {
      // Not a power of ten: the remainder is no decimal fraction.
      let scaled = fraction.multipliedFullWidth(by: 1_000_000_000)
      fraction = perSecond.dividingFullWidth(scaled).quotient
      width = 9
    }
    let digits = String(fraction)
    return "\(units / perSecond)."
      + String(repeating: "0", count: max(0, width - digits.count)) + digits
  }

  /// `0x1f`.
  public static func hex(_ value: UInt64) -> String { "0x" + String(value, radix: 16) }

  /// One decimal.
  public static func fixed(_ value: Double) -> String {
    let tenths = (value * 10).rounded()
    guard tenths.magnitude < 1e15 else { return "\(value)" }
    let whole = Int(tenths)
    return "\(whole / 10).\((whole % 10).magnitude)"
  }

  /// Pads on the right.
  public static func left(_ text: String, _ width: Int) -> String {
    text + String(repeating: " ", count: max(0, width - text.count))
  }

  /// Pads on the left.
  public static func right(_ text: String, _ width: Int) -> String {
    String(repeating: " ", count: max(0, width - text.count)) + text
  }
}
