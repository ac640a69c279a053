import TraceFormat

/// Where the ftrace events of a Perfetto trace are, and what is known of its tasks.
///
/// Perfetto stores what each CPU recorded as bundles, in no order among CPUs. One pass over the
/// packets notes the place of each bundle.
struct PerfettoFile {
  /// The events of one CPU for some time.
  struct Bundle {
    var offset: UInt64
    var size: Int
    /// Events of this CPU between its last bundle and this one are missing.
    var isAfterLoss: Bool
  }

  /// An event that Perfetto has no message of its own for: its fields, by number.
  struct Description {
    var name: [UInt8]
    var fields: [Int: [UInt8]]
  }

  let file: RandomFile
  /// Bundles by CPU, in the order of their time.
  private(set) var bundles: [[Bundle]] = []
  private(set) var commands: [UInt32: CommandName] = [0: CommandName("<idle>")]
  private(set) var descriptions: [Int: Description] = [:]
  private(set) var system: (release: String?, machine: String?) = (nil, nil)
  private(set) var clock = "boot"
  private var pendingLoss: [Bool] = []
  private var bundleCount = 0

  private static let packetLimit: UInt64 = 64 << 20
  private static let bundleLimit = 1 << 22
  private static let cpuLimit = 4096

  /// Whether `head`, the first bytes of a file, begins with packets of a Perfetto trace.
  static func recognises(_ head: [UInt8]) -> Bool {
    let bytes = head.span
    var at = 0
    var packets = 0
    while at < head.count, packets < 8 {
      guard bytes[at] == 0x0A else { return false }
      at += 1
      guard let size = WireReader.number(bytes, &at, head.count), size <= packetLimit else {
        return false
      }
      let isWhole = size <= UInt64(head.count - at)
      guard isWhole else { return packets > 0 || startsAsPacket(bytes, at) }
      var reader = WireReader(at..<at + Int(size))
      var fields = 0
      while let (field, _) = reader.next(bytes) {
        guard field < 10_000 else { return false }
        fields += 1
      }
      guard !reader.isDamaged, fields > 0 else { return false }
      at += Int(size)
      packets += 1
    }
    return packets > 0
  }

  /// A packet that is longer than what is there: its first field has to be one of a packet.
  private static func startsAsPacket(_ bytes: Span<UInt8>, _ start: Int) -> Bool {
    var at = start
    guard let tag = WireReader.number(bytes, &at, bytes.count) else { return false }
    return tag >> 3 > 0 && tag >> 3 < 1000 && [0, 1, 2, 5].contains(tag & 7)
  }

  init(_ file: RandomFile) throws(TraceError) {
    self.file = file
    var at: UInt64 = 0
    while at < file.size {
      let (start, size) = try packet(at: at)
      try note(try file.read(at: start, count: size), at: start)
      at = start + UInt64(size)
    }
    guard bundleCount > 0 else {
      throw TraceError(
        file: file.name, what: "is a Perfetto trace without ftrace events",
        hint: "record with the linux.ftrace data source and the probes' events")
    }
  }

  /// Where the content of the packet at `at` is.
  private func packet(at: UInt64) throws(TraceError) -> (start: UInt64, size: Int) {
    let head = try file.read(at: at, count: Int(min(11, file.size - at)))
    var place = 0
    guard let tag = WireReader.number(head.span, &place, head.count), tag == 0x0A,
      let size = WireReader.number(head.span, &place, head.count)
    else { throw damaged(at, "no packet begins here") }
    let start = at + UInt64(place)
    guard size <= Self.packetLimit else { throw damaged(at, "a packet of \(size) bytes") }
    guard size <= file.size - start else {
      throw damaged(at, "a packet has \(size) bytes and \(file.size - start) are there")
    }
    return (start, Int(size))
  }

  private mutating func note(_ packet: [UInt8], at offset: UInt64) throws(TraceError) {
    let bytes = packet.span
    var reader = WireReader(0..<packet.count)
    var bundle: Range<Int>?
    var isDropped = false
    while let (field, value) = reader.next(bytes) {
      switch (field, value) {
      case (1, .piece(let range)): bundle = range
      case (2, .piece(let range)): noteTasks(bytes, range)
      case (42, .number(let flag)): isDropped = flag != 0
      case (45, .piece(let range)): noteSystem(bytes, range)
      case (50, .piece):
        throw TraceError(
          file: file.name, what: "holds compressed packets, at offset \(offset)",
          hint: "traceconv decompress_packets FILE OUT, then import that")
      default: break
      }
    }
    guard !reader.isDamaged else { throw damaged(offset, "a packet that is none") }
    if isDropped, bundleCount > 0 {
      // Some packet was dropped, and nobody says which: every CPU may miss events.
      for cpu in pendingLoss.indices { pendingLoss[cpu] = true }
    }
    if let bundle { try noteBundle(bytes, bundle, at: offset) }
  }

  private mutating func noteBundle(
    _ bytes: Span<UInt8>, _ range: Range<Int>, at offset: UInt64
  ) throws(TraceError) {
    var reader = WireReader(range)
    var cpu = 0
    var isAfterLoss = false
    var hasEvents = false
    while let (field, value) = reader.next(bytes) {
      switch (field, value) {
      case (1, .number(let number)):
        guard number < UInt64(Self.cpuLimit) else { throw damaged(offset, "CPU \(number)") }
        cpu = Int(number)
      case (2, .piece): hasEvents = true
      case (3, .number(let flag)): isAfterLoss = flag != 0
      case (5, .number(let number)):
        clock = ["boot", "unknown", "global", "local", "mono_raw"][min(Int(number & 7), 4)]
      case (11, .piece(let description)): noteDescription(bytes, description)
      default: break
      }
    }
    guard !reader.isDamaged else { throw damaged(offset, "a bundle that is none") }
    guard hasEvents || isAfterLoss else { return }
    while bundles.count <= cpu {
      bundles.append([])
      pendingLoss.append(false)
    }
    guard bundleCount < Self.bundleLimit else {
      throw damaged(offset, "more than \(Self.bundleLimit) bundles")
    }
    bundleCount += 1
    bundles[cpu].append(
      Bundle(
        offset: offset + UInt64(range.lowerBound), size: range.count,
        isAfterLoss: isAfterLoss || pendingLoss[cpu]))
    pendingLoss[cpu] = false
  }

  /// A field number, and the `DescriptorProto` of the message it holds.
  private mutating func noteDescription(_ bytes: Span<UInt8>, _ range: Range<Int>) {
    var reader = WireReader(range)
    var id: Int?
    var descriptor: Range<Int>?
    while let (field, value) = reader.next(bytes) {
      if field == 1 { id = value.number.flatMap { Int(exactly: $0) } }
      if field == 2 { descriptor = value.piece }
    }
    guard let id, let descriptor else { return }
    var result = Description(name: [], fields: [:])
    var parts = WireReader(descriptor)
    while let (field, value) = parts.next(bytes) {
      guard let range = value.piece else { continue }
      if field == 1 { result.name = range.map { bytes[$0] } }
      guard field == 2 else { continue }
      var member = WireReader(range)
      var name: [UInt8] = []
      var number: Int?
      while let (field, value) = member.next(bytes) {
        if field == 1, let range = value.piece { name = range.map { bytes[$0] } }
        if field == 3 { number = value.number.flatMap { Int(exactly: $0) } }
      }
      if let number { result.fields[number] = name }
    }
    descriptions[id] = result
  }

  private mutating func noteTasks(_ bytes: Span<UInt8>, _ range: Range<Int>) {
    var tree = WireReader(range)
    while let (kind, value) = tree.next(bytes) {
      guard let range = value.piece, kind == 1 || kind == 2 else { continue }
      var reader = WireReader(range)
      var id: UInt32?
      var name: Range<Int>?
      while let (field, value) = reader.next(bytes) {
        if field == 1 { id = value.number.flatMap { UInt32(exactly: $0) } }
        if field == (kind == 1 ? 3 : 2), name == nil { name = value.piece }
      }
      guard let id, let name, !name.isEmpty else { continue }
      // A process is named by its command line: the last part of its first word is its name.
      var start = name.lowerBound
      if kind == 1 {
        for at in name where bytes[at] == 0x2F && at + 1 < name.upperBound { start = at + 1 }
      }
      commands[id] = CommandName(bytes, start, min(name.upperBound, start + 15))
    }
  }

  private mutating func noteSystem(_ bytes: Span<UInt8>, _ range: Range<Int>) {
    var reader = WireReader(range)
    while let (field, value) = reader.next(bytes) {
      guard field == 1, let names = value.piece else { continue }
      var inner = WireReader(names)
      while let (field, value) = inner.next(bytes) {
        guard let range = value.piece else { continue }
        let text = String(decoding: range.map { bytes[$0] }, as: UTF8.self)
        if field == 3 { system.release = text }
        if field == 4 { system.machine = text }
      }
    }
  }

  private func damaged(_ at: UInt64, _ what: String) -> TraceError {
    TraceError(
      file: file.name, what: "the Perfetto trace is damaged at offset \(at): \(what)",
      hint: "copy it again, or record again")
  }
}
