extension EventText {
  /// The columns of ``appendCSV(_:ordinal:from:to:)``, as the first line of a file.
  public static let csvHeading =
    "ordinal,time,cpu,task,comm,context,event,object,generation,level,"
    + "arg0_name,arg0,arg1_name,arg1,text,inferred,kernel_table\n"

  /// Appends the event as one line of comma-separated values (RFC 4180 with line feeds alone).
  ///
  /// Values are those of ``appendJSON(_:ordinal:from:to:)``; what an event does not have is empty,
  /// as are the CPU of a loss on all CPUs and the count of a loss nobody counted. A text that a
  /// spreadsheet might take for a formula stays what it is: quoting cannot prevent that.
  public func appendCSV(
    _ event: Event, ordinal: UInt64, from source: any EventSource, to bytes: inout [UInt8]
  ) {
    let text = KindText.table[Int(event.kind.rawValue)]!
    bytes.appendDecimal(ordinal)
    bytes.append(Self.comma)
    bytes.appendDecimal(event.time)
    bytes.append(Self.comma)
    if event.cpu != Event.allCPUs { bytes.appendDecimal(UInt64(event.cpu)) }
    bytes.append(Self.comma)
    bytes.appendDecimal(UInt64(event.task))
    bytes.append(Self.comma)
    if let name = source.taskName(event.task) { bytes.appendCSV(name) }
    bytes.append(Self.comma)
    bytes.append(contentsOf: event.context.name.utf8)
    bytes.append(Self.comma)
    bytes.append(contentsOf: text.name)
    bytes.append(Self.comma)
    appendCSV(text.object, event.object, to: &bytes)
    bytes.append(Self.comma)
    if text.isNumbered { bytes.appendDecimal(UInt64(event.generation)) }
    bytes.append(Self.comma)
    if event.level != .unknown { bytes.append(contentsOf: event.level.name.utf8) }
    bytes.append(Self.comma)
    let isUncounted = event.kind == .loss && event.arg0 == Event.unknownCount
    appendCSV(named: text.arg0, isUncounted ? nil : event.arg0, to: &bytes)
    bytes.append(Self.comma)
    appendCSV(named: text.arg1, event.arg1, to: &bytes)
    bytes.append(Self.comma)
    if event.kind == .mark, let remark = source.string(event.object) { bytes.appendCSV(remark) }
    bytes.append(Self.comma)
    bytes.append(event.flags.contains(.inferred) ? 0x31 : 0x30)
    bytes.append(Self.comma)
    bytes.append(event.flags.contains(.kernelTable) ? 0x31 : 0x30)
    bytes.append(0x0a)
  }

  private static let comma = UInt8(ascii: ",")

  private func appendCSV(named field: KindText.Field, _ value: UInt64?, to bytes: inout [UInt8]) {
    if field.isUsed { bytes.append(contentsOf: field.name) }
    bytes.append(Self.comma)
    if let value { appendCSV(field, value, to: &bytes) }
  }

  private func appendCSV(_ field: KindText.Field, _ value: UInt64, to bytes: inout [UInt8]) {
    switch field.style {
    case .none: break
    case .decimal, .time: bytes.appendDecimal(value)
    case .signed: bytes.appendSigned(value)
    case .hexadecimal: bytes.appendHexadecimal(value)
    case .named(let names):
      if value < UInt64(names.count) {
        bytes.append(contentsOf: names[Int(value)])
      } else {
        bytes.appendDecimal(value)
      }
    }
  }
}

extension [UInt8] {
  /// Appends a text as a CSV field, in quotes where it needs them.
  mutating func appendCSV(_ text: String) {
    let needsQuotes = text.utf8.contains {
      $0 == UInt8(ascii: ",") || $0 == UInt8(ascii: "\"") || $0 < 0x20
    }
    guard needsQuotes else { return append(contentsOf: text.utf8) }
    append(0x22)
    for byte in text.utf8 {
      if byte == 0x22 { append(0x22) }
      append(byte)
    }
    append(0x22)
  }
}
