import TraceFormat

/// A guard of a hybrid automaton: comparisons joined by `&&` and `||`, which binds weaker.
struct Constraint: Sendable {
  /// One comparison.
  struct Term: Sendable {
    let variable: Variable
    let comparison: Comparison
    /// Right side; nanoseconds for a clock.
    let value: UInt64
    /// As it is written.
    let text: String
  }

  /// What stands on the left.
  enum Variable: Sendable, Equatable {
    /// Time since the clock was reset, by index in ``Automaton/clocks``.
    case clock(Int)
    /// Something the event itself says.
    case event(EventVariable)
  }

  /// What an event says that a guard may ask for.
  enum EventVariable: String, Sendable, CaseIterable {
    /// CPU of the event.
    case cpu
    /// 1 inside an RCU callback, else 0.
    case inCallback = "in_callback"
    /// 1 PTE, 2 PMD, 3 PUD, 4 P4D, 5 PGD, 0 unknown.
    case level
  }

  /// `<`, `>` …
  enum Comparison: String, Sendable, CaseIterable {
    case less = "<"
    case greater = ">"
    case lessOrEqual = "<="
    case greaterOrEqual = ">="
    case equal = "=="
    case notEqual = "!="

    func holds(_ left: UInt64, _ right: UInt64) -> Bool {
      switch self {
      case .less: left < right
      case .greater: left > right
      case .lessOrEqual: left <= right
      case .greaterOrEqual: left >= right
      case .equal: left == right
      case .notEqual: left != right
      }
    }
  }

  /// Alternatives, each a conjunction.
  let alternatives: [[Term]]

  /// Whether it holds; nil if that depends on a value nobody knows.
  func holds(_ value: (Variable) -> UInt64?) -> Bool? {
    var isKnown = true
    for terms in alternatives {
      var result: Bool? = true
      for term in terms {
        guard let left = value(term.variable) else {
          if result == true { result = nil }
          continue
        }
        if !term.comparison.holds(left, term.value) { result = false }
      }
      if result == true { return true }
      if result == nil { isKnown = false }
    }
    return isKnown ? false : nil
  }
}

/// Values a user gives for names that are constants, parameters or functions in the kernel.
public struct ModelDefinitions: Sendable {
  private var values: [String: String] = [:]

  /// No definitions.
  public init() {}

  /// Takes `NAME=VALUE`; false if that is not what it is.
  public mutating func define(_ text: String) -> Bool {
    guard let equals = text.firstIndex(of: "=") else { return false }
    let name = String(text[..<equals]).replacing("()", with: "")
    let value = text[text.index(after: equals)...]
    guard !name.isEmpty, Duration.parse(String(value)) != nil else { return false }
    values[name] = String(value)
    return true
  }

  /// The value of a name, digits and unit.
  subscript(name: String) -> (value: UInt64, unit: Duration.Unit?)? {
    values[name.replacing("()", with: "")].flatMap(Duration.parse)
  }

  /// A number with an optional unit of time.
  enum Duration {
    /// Units of §9.1.6.
    enum Unit: String, CaseIterable {
      case ns, us, ms, s, j

      /// Nanoseconds; nil for jiffies, whose length nobody said.
      func nanoseconds(hertz: UInt64?) -> UInt64? {
        switch self {
        case .ns: 1
        case .us: 1_000
        case .ms: 1_000_000
        case .s: 1_000_000_000
        case .j: hertz.flatMap { $0 == 0 ? nil : 1_000_000_000 / $0 }
        }
      }
    }

    static func parse(_ text: String) -> (value: UInt64, unit: Unit?)? {
      let digits = text.prefix { $0.isASCII && $0.isNumber }
      guard let value = UInt64(digits) else { return nil }
      let rest = text.dropFirst(digits.count)
      if rest.isEmpty { return (value, nil) }
      return Unit(rawValue: String(rest)).map { (value, $0) }
    }
  }
}
