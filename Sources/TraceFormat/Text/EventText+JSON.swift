extension EventText {
  /// Appends the event as one JSON object and a line feed.
  ///
  /// Keys, always in this order: `ordinal`, `time` (in the clock's units), `cpu` (null for all),
  /// `task`, `comm` (where known), `context`, `event`, the object under its name, `generation`
  /// (where the object has one), `text` (of a mark, where known), `level` (where known), the
  /// arguments under their names, `kernel_table` and `shared` (where true), `inferred`. Addresses and pfns are
  /// strings in hexadecimal, for programs that hold numbers in 53 bits; the count of a loss
  /// nobody counted is null.
  public func appendJSON(
    _ event: Event, ordinal: UInt64, from source: any EventSource, to bytes: inout [UInt8]
  ) {
    let text = KindText.table[Int(event.kind.rawValue)]!
    appendJSONPlace(event, ordinal: ordinal, from: source, to: &bytes)
    bytes.append(contentsOf: Self.eventKey)
    bytes.append(contentsOf: text.name)
    bytes.append(0x22)
    appendJSON(text.object, event.object, to: &bytes)
    if text.isNumbered {
      bytes.append(contentsOf: Self.generationKey)
      bytes.appendDecimal(UInt64(event.generation))
    }
    if event.kind == .mark, let remark = source.string(event.object) {
      bytes.append(contentsOf: Self.textKey)
      bytes.appendJSON(remark)
    }
    if event.level != .unknown {
      bytes.append(contentsOf: Self.levelKey)
      bytes.append(contentsOf: event.level.name.utf8)
      bytes.append(0x22)
    }
    if event.kind == .loss, event.arg0 == Event.unknownCount {
      bytes.append(contentsOf: text.arg0.key)
      bytes.append(contentsOf: Self.null)
    } else {
      appendJSON(text.arg0, event.arg0, to: &bytes)
    }
    appendJSON(text.arg1, event.arg1, to: &bytes)
    if event.flags.contains(.kernelTable) { bytes.append(contentsOf: Self.kernelTableKey) }
    if event.flags.contains(.shared) { bytes.append(contentsOf: Self.sharedKey) }
    if event.flags.contains(.reclaimed) { bytes.append(contentsOf: Self.reclaimedKey) }
    bytes.append(contentsOf: event.flags.contains(.inferred) ? Self.isInferred : Self.isObserved)
  }

  private static let eventKey = Array(",\"event\":\"".utf8)
  private static let generationKey = Array(",\"generation\":".utf8)
  private static let textKey = Array(",\"text\":".utf8)
  private static let levelKey = Array(",\"level\":\"".utf8)
  private static let null = Array("null".utf8)
  private static let kernelTableKey = Array(",\"kernel_table\":true".utf8)
  private static let sharedKey = Array(",\"shared\":true".utf8)
  private static let reclaimedKey = Array(",\"reclaimed\":true".utf8)
  private static let isInferred = Array(",\"inferred\":true}\n".utf8)
  private static let isObserved = Array(",\"inferred\":false}\n".utf8)
  private static let ordinalKey = Array("{\"ordinal\":".utf8)
  private static let timeKey = Array(",\"time\":".utf8)
  private static let cpuKey = Array(",\"cpu\":".utf8)
  private static let taskKey = Array(",\"task\":".utf8)
  private static let commKey = Array(",\"comm\":".utf8)
  private static let contextKey = Array(",\"context\":\"".utf8)

  private func appendJSONPlace(
    _ event: Event, ordinal: UInt64, from source: any EventSource, to bytes: inout [UInt8]
  ) {
    bytes.append(contentsOf: Self.ordinalKey)
    bytes.appendDecimal(ordinal)
    bytes.append(contentsOf: Self.timeKey)
    bytes.appendDecimal(event.time)
    bytes.append(contentsOf: Self.cpuKey)
    if event.cpu == Event.allCPUs {
      bytes.append(contentsOf: Self.null)
    } else {
      bytes.appendDecimal(UInt64(event.cpu))
    }
    bytes.append(contentsOf: Self.taskKey)
    bytes.appendDecimal(UInt64(event.task))
    if let name = source.taskName(event.task) {
      bytes.append(contentsOf: Self.commKey)
      bytes.appendJSON(name)
    }
    bytes.append(contentsOf: Self.contextKey)
    bytes.append(contentsOf: event.context.name.utf8)
    bytes.append(0x22)
  }

  private func appendJSON(_ field: KindText.Field, _ value: UInt64, to bytes: inout [UInt8]) {
    guard field.isUsed else { return }
    bytes.append(contentsOf: field.key)
    switch field.style {
    case .none: break
    case .decimal, .time: bytes.appendDecimal(value)
    case .signed: bytes.appendSigned(value)
    case .hexadecimal:
      bytes.append(0x22)
      bytes.appendHexadecimal(value)
      bytes.append(0x22)
    case .named(let names):
      guard value < UInt64(names.count) else { return bytes.appendDecimal(value) }
      bytes.append(0x22)
      bytes.append(contentsOf: names[Int(value)])
      bytes.append(0x22)
    }
  }
}
