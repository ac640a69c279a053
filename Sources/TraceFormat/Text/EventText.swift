/// Writes events as text: the one place that knows how an event looks.
///
/// Two forms. A line for people, as ftrace prints one:
///
///     ptwork-169   [001] ..s.. 13.273246000: pt_ctor: pfn=0x88fb5#1 level=pte mm=0x… nr=1
///
/// with the context in the middle of the five flags (`.` task, `s` softirq, `h` hardirq,
/// `k` kernel thread, `?` unknown), the object's generation after `#`, arguments that say
/// nothing left out, and `(inferred)` at the end of what was not observed. And a JSON object on
/// one line, for programs; see ``appendJSON(_:ordinal:from:to:)``.
///
/// Both append to bytes the caller keeps, so that millions of lines make no garbage.
public struct EventText: Sendable {
  /// Digits behind the point of a time, and units in a second; nil where time only counts.
  private let scale: (digits: Int, unitsPerSecond: UInt64)?

  /// Makes a printer for times of a clock.
  public init(clock: Clock) {
    guard let units = clock.unitsPerSecond, units > 0 else {
      scale = nil
      return
    }
    var digits = 0
    var power: UInt64 = 1
    while power < units, digits < 9 {
      power *= 10
      digits += 1
    }
    // A clock of no power of ten is shown in nanoseconds.
    scale = (power == units ? digits : 9, units)
  }

  /// Appends a line for people, with its line feed.
  ///
  /// `source` knows the names of tasks and the texts of marks.
  public func appendLine(_ event: Event, from source: any EventSource, to bytes: inout [UInt8]) {
    let text = KindText.table[Int(event.kind.rawValue)]!
    appendPlace(event, from: source, to: &bytes)
    bytes.append(contentsOf: [0x3a, 0x20])
    bytes.append(contentsOf: text.name)
    bytes.append(0x3a)
    if text.object.isUsed {
      append(text.object, event.object, to: &bytes)
      if text.isNumbered {
        bytes.append(0x23)
        bytes.appendDecimal(UInt64(event.generation))
      }
      if event.kind == .mark, let remark = source.string(event.object) {
        bytes.append(0x20)
        bytes.appendPlain(remark)
      }
    }
    if event.level != .unknown {
      bytes.append(contentsOf: Self.level)
      bytes.append(contentsOf: event.level.name.utf8)
    }
    if event.kind == .loss, event.arg0 == Event.unknownCount {
      bytes.append(contentsOf: Self.unknownLoss)
    } else {
      append(text.arg0, event.arg0, to: &bytes)
    }
    append(text.arg1, event.arg1, to: &bytes)
    if event.flags.contains(.kernelTable) { bytes.append(contentsOf: Self.kernelTable) }
    if event.flags.contains(.shared) { bytes.append(contentsOf: Self.shared) }
    if event.flags.contains(.reclaimed) { bytes.append(contentsOf: Self.reclaimed) }
    if event.flags.contains(.inferred) { bytes.append(contentsOf: Self.inferred) }
    bytes.append(0x0a)
  }

  /// Appends a time as it is printed in lines: seconds, or a plain number.
  public func appendTime(_ time: UInt64, to bytes: inout [UInt8]) {
    guard let (digits, units) = scale else {
      bytes.appendDecimal(time)
      return
    }
    bytes.appendDecimal(time / units)
    guard digits > 0 else { return }
    bytes.append(0x2e)
    let power = Self.powers[digits]
    let part = units.dividingFullWidth((time % units).multipliedFullWidth(by: power)).quotient
    bytes.appendDecimal(part, minimumDigits: digits)
  }

  private static let powers: [UInt64] = (0...9).map { digits in
    (0..<digits).reduce(1) { power, _ in power * 10 }
  }
  private static let level = Array(" level=".utf8)
  private static let unknownLoss = Array(" count=?".utf8)
  private static let kernelTable = Array(" (kernel table)".utf8)
  private static let shared = Array(" (shared)".utf8)
  private static let reclaimed = Array(" (reclaim)".utf8)
  private static let inferred = Array(" (inferred)".utf8)
  private static let idle = "<idle>"
  private static let unnamed = "<...>"

  /// `comm-pid [cpu] flags time`.
  private func appendPlace(_ event: Event, from source: any EventSource, to bytes: inout [UInt8]) {
    let name = source.taskName(event.task) ?? (event.task == 0 ? Self.idle : Self.unnamed)
    for _ in 0..<max(0, 16 - name.utf8.count) { bytes.append(0x20) }
    bytes.appendPlain(name)
    bytes.append(0x2d)
    let start = bytes.count
    bytes.appendDecimal(UInt64(event.task))
    while bytes.count < start + 6 { bytes.append(0x20) }
    if event.task >= 100_000 { bytes.append(0x20) }
    bytes.append(0x5b)
    if event.cpu == Event.allCPUs {
      bytes.append(contentsOf: "all".utf8)
    } else {
      bytes.appendDecimal(UInt64(event.cpu), minimumDigits: 3)
    }
    bytes.append(contentsOf: [0x5d, 0x20])
    bytes.append(contentsOf: Self.flags[Int(event.context.rawValue)])
    bytes.append(0x20)
    appendTime(event.time, to: &bytes)
  }

  private static let flags: [[UInt8]] = ExecutionContext.allCases.map { context in
    switch context {
    case .unknown: Array("..?..".utf8)
    case .task: Array(".....".utf8)
    case .softirq: Array("..s..".utf8)
    case .hardirq: Array("d.h..".utf8)
    case .kthread: Array("..k..".utf8)
    }
  }

  /// ` name=value`, unless there is nothing to say.
  private func append(_ field: KindText.Field, _ value: UInt64, to bytes: inout [UInt8]) {
    guard field.isUsed, !(field.isOptional && value == 0) else { return }
    bytes.append(0x20)
    bytes.append(contentsOf: field.name)
    bytes.append(0x3d)
    switch field.style {
    case .none: break
    case .decimal: bytes.appendDecimal(value)
    case .time: appendTime(value, to: &bytes)
    case .signed: bytes.appendSigned(value)
    case .hexadecimal: bytes.appendHexadecimal(value)
    case .named(let names):
      guard value < UInt64(names.count) else { return bytes.appendDecimal(value) }
      let name = names[Int(value)]
      // Names of causes are phrases.
      let isPhrase = name.contains(0x20)
      if isPhrase { bytes.append(0x22) }
      bytes.append(contentsOf: name)
      if isPhrase { bytes.append(0x22) }
    }
  }
}
