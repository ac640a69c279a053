import TraceFormat

/// What a trace.dat of trace-cmd says about itself, and where its events are.
///
/// Reads versions 6 and 7, either byte order. The two versions hold the same pieces: version 6 one
/// after the other, version 7 in sections that options point to, each of them compressed or not.
struct TraceDatFile {
  /// The events of one CPU in one buffer.
  struct CPUData: Equatable {
    var cpu: Int
    var offset: UInt64
    var size: UInt64
  }

  /// One ring buffer: the main one, or that of an instance.
  struct Buffer {
    /// Name of the instance; empty for the main buffer.
    var name: String
    var clock: String
    var pageSize: Int
    var isCompressed: Bool
    var cpus: [CPUData]
  }

  /// `nanoseconds = (ticks * multiplier >> shift) + offset`.
  struct Conversion {
    var multiplier: UInt32
    var shift: UInt32
    var offset: UInt64
  }

  let file: RandomFile
  private(set) var version = 0
  private(set) var isBigEndian = false
  private(set) var pageSize = 0
  private(set) var compression = Compression.none
  private(set) var layout: BufferLayout?
  /// Texts of the `format` files.
  private(set) var formats: [[UInt8]] = []
  private(set) var kallsyms: [UInt8] = []
  private(set) var printk: [UInt8] = []
  private(set) var commands: [UInt8] = []
  private(set) var buffers: [Buffer] = []
  private(set) var statistics: [String] = []
  private(set) var clock = "local"
  /// `uname` of the machine, without its name.
  private(set) var system: String?
  private(set) var conversion: Conversion?
  private var cpuCount = 0

  /// First bytes of every trace.dat.
  static let magic: [UInt8] = [0x17, 0x08, 0x44] + Array("tracing".utf8)
  /// Most bytes a section may have when it is expanded.
  private static let sectionLimit: UInt64 = 256 << 20
  private static let formatLimit = 65_536

  init(_ file: RandomFile) throws {
    self.file = file
    var cursor = BinaryCursor(file, isBigEndian: false, what: "the header of the trace.dat")
    try cursor.skip(UInt64(Self.magic.count))
    let text = try cursor.text(limit: 16)
    guard let number = Int(text), number == 6 || number == 7 else {
      throw TraceError(
        file: file.name, what: "is a trace.dat of version \(text), and 6 and 7 are read",
        hint: "trace-cmd convert --file-version 7 rewrites it, or import trace-cmd report's text")
    }
    version = number
    isBigEndian = try cursor.u8() == 1
    _ = try cursor.u8()
    var rest = BinaryCursor(
      file, from: cursor.at, isBigEndian: isBigEndian, what: "the header of the trace.dat")
    pageSize = Int(try rest.u32())
    guard (256...1 << 24).contains(pageSize) else {
      throw rest.error("a page cannot have \(pageSize) bytes")
    }
    if version == 6 { try readVersion6(&rest) } else { try readVersion7(&rest) }
  }

  // MARK: version 7

  private mutating func readVersion7(_ cursor: inout BinaryCursor) throws {
    let name = try cursor.text(limit: 32)
    _ = try cursor.text(limit: 64)
    switch name {
    case "none": compression = .none
    case "zlib": compression = .zlib
    case "zstd": compression = .zstd
    default: throw cursor.error("it is compressed with \(name), and zlib and zstd are read")
    }
    var next = try cursor.u64()
    var visited: Set<UInt64> = []
    while next != 0 {
      guard visited.insert(next).inserted, visited.count < 4096 else {
        throw cursor.error("its options go round in a circle")
      }
      var options = try section(at: next, id: 0, what: "the options of the trace.dat")
      next = try readOptions(&options)
    }
    guard layout != nil else { throw cursor.error("it does not say how its buffer is laid out") }
    if buffers.isEmpty { throw noEvents() }
  }

  /// The content of the section at `offset`, expanded.
  private func section(at offset: UInt64, id: UInt16, what: String) throws -> BinaryCursor {
    var cursor = BinaryCursor(file, from: offset, isBigEndian: isBigEndian, what: what)
    let found = try cursor.u16()
    guard found == id else {
      throw cursor.error("section \(id) is expected here and section \(found) is found")
    }
    let isCompressed = try cursor.u16() & 1 == 1
    _ = try cursor.u32()
    let size = try cursor.u64()
    guard size <= cursor.left else {
      throw cursor.error("the section has \(size) bytes and \(cursor.left) are there")
    }
    guard isCompressed else {
      return BinaryCursor(
        file, from: cursor.at, to: cursor.at + size, isBigEndian: isBigEndian, what: what)
    }
    let packed = UInt64(try cursor.u32())
    let count = UInt64(try cursor.u32())
    guard count <= Self.sectionLimit else {
      throw cursor.error("the section expands to \(count) bytes, which no trace.dat needs")
    }
    let bytes = try cursor.bytes(packed)
    guard let expanded = compression.expand(bytes, to: Int(count)) else {
      throw cursor.error("the section cannot be decompressed")
    }
    return BinaryCursor(expanded, of: file.name, isBigEndian: isBigEndian, what: what)
  }

  /// Reads one section of options; returns where the next one is, or 0.
  private mutating func readOptions(_ options: inout BinaryCursor) throws -> UInt64 {
    while options.left > 0 {
      let id = try options.u16()
      let size = UInt64(try options.u32())
      let start = options.at
      guard size <= options.left else {
        throw options.error("option \(id) has \(size) bytes and \(options.left) are there")
      }
      if id == 0 { return size >= 8 ? try options.u64() : 0 }
      if let what = Self.pointers[id] {
        var content = try section(at: try options.u64(), id: id, what: what)
        try readSection(id, &content)
      } else if id == 3 {
        try readBuffer(&options)
      } else {
        try readOption(id, size, &options)
      }
      try options.skip(start + size - min(options.at, start + size))
    }
    return 0
  }

  private static let pointers: [UInt16: String] = [
    16: "the header information", 17: "the formats of ftrace's own events",
    18: "the formats of the events", 19: "the kernel's symbols", 20: "the printk formats",
    21: "the names of the tasks",
  ]

  private mutating func readSection(_ id: UInt16, _ content: inout BinaryCursor) throws {
    switch id {
    case 16: try readLayout(&content)
    case 17: try readFormats(&content)
    case 18: try readSystems(&content)
    case 19: kallsyms = try content.bytes(UInt64(try content.u32()))
    case 20: printk = try content.bytes(UInt64(try content.u32()))
    default: commands = try content.bytes(try content.u64())
    }
  }

  private mutating func readBuffer(_ options: inout BinaryCursor) throws {
    let place = try options.u64()
    let name = try options.text()
    let clock = try options.text(limit: 64)
    let size = Int(try options.u32())
    guard (256...1 << 24).contains(size) else {
      throw options.error("a page of a buffer cannot have \(size) bytes")
    }
    let count = try options.u32()
    guard UInt64(count) * 20 <= options.left else {
      throw options.error("a buffer of \(count) CPUs does not fit in here")
    }
    var cursor = BinaryCursor(
      file, from: place, isBigEndian: isBigEndian, what: "the events of a buffer")
    guard try cursor.u16() == 3 else { throw cursor.error("no buffer begins here") }
    let isCompressed = try cursor.u16() & 1 == 1
    var cpus: [CPUData] = []
    for _ in 0..<count {
      let cpu = try options.u32()
      let data = CPUData(cpu: Int(cpu), offset: try options.u64(), size: try options.u64())
      try check(data)
      cpus.append(data)
    }
    buffers.append(
      Buffer(name: name, clock: clock, pageSize: size, isCompressed: isCompressed, cpus: cpus))
  }

  // MARK: version 6

  private mutating func readVersion6(_ cursor: inout BinaryCursor) throws {
    try readLayout(&cursor)
    try readFormats(&cursor)
    try readSystems(&cursor)
    kallsyms = try limited(UInt64(try cursor.u32()), &cursor)
    printk = try limited(UInt64(try cursor.u32()), &cursor)
    commands = try limited(try cursor.u64(), &cursor)
    cpuCount = Int(try cursor.u32())
    var instances: [(offset: UInt64, name: String)] = []
    var kind = try cursor.bytes(10)
    if kind.starts(with: "options".utf8) {
      while case let id = try cursor.u16(), id != 0 {
        let size = UInt64(try cursor.u32())
        let start = cursor.at
        if id == 3 {
          instances.append((try cursor.u64(), try cursor.text()))
        } else {
          try readOption(id, size, &cursor)
        }
        try cursor.skip(start + size - min(cursor.at, start + size))
      }
      kind = try cursor.bytes(10)
    }
    try readBuffer6(&cursor, kind, name: "")
    for (offset, name) in instances {
      var place = BinaryCursor(
        file, from: offset, isBigEndian: isBigEndian, what: "the buffer of instance \(name)")
      let kind = try place.bytes(10)
      try readBuffer6(&place, kind, name: name)
    }
  }

  private mutating func readBuffer6(
    _ cursor: inout BinaryCursor, _ kind: [UInt8], name: String
  ) throws {
    guard kind.starts(with: "flyrecord".utf8) else {
      if kind.starts(with: "latency".utf8) { throw noEvents() }
      throw cursor.error("neither options nor events follow")
    }
    guard UInt64(cpuCount) * 16 <= cursor.left else {
      throw cursor.error("the places of \(cpuCount) CPUs are announced and are not there")
    }
    var cpus: [CPUData] = []
    for cpu in 0..<cpuCount {
      let data = CPUData(cpu: cpu, offset: try cursor.u64(), size: try cursor.u64())
      try check(data)
      cpus.append(data)
    }
    buffers.append(
      Buffer(
        name: name, clock: clock6(&cursor) ?? clock, pageSize: pageSize, isCompressed: false,
        cpus: cpus))
  }

  /// The buffer's own clock, which newer trace-cmd write behind the table of CPUs.
  private func clock6(_ cursor: inout BinaryCursor) -> String? {
    guard let size = try? cursor.u64(), (1...256).contains(size),
      let text = try? string(size, &cursor)
    else { return nil }
    return Self.chosen(text)
  }

  // MARK: what both have

  private mutating func readLayout(_ cursor: inout BinaryCursor) throws {
    guard try cursor.text(limit: 16) == "header_page" else {
      throw cursor.error("header_page is expected here")
    }
    let page = try limited(try cursor.u64(), &cursor)
    guard try cursor.text(limit: 16) == "header_event" else {
      throw cursor.error("header_event is expected here")
    }
    let event = try limited(try cursor.u64(), &cursor)
    guard let layout = BufferLayout(page: page, event: event) else {
      throw cursor.error("header_page or header_event is not of the form the kernel writes")
    }
    self.layout = layout
  }

  private mutating func readFormats(_ cursor: inout BinaryCursor) throws {
    let count = try cursor.u32()
    for _ in 0..<count {
      guard formats.count < Self.formatLimit else {
        throw cursor.error("there are more than \(Self.formatLimit) events")
      }
      formats.append(try limited(try cursor.u64(), &cursor))
    }
  }

  private mutating func readSystems(_ cursor: inout BinaryCursor) throws {
    for _ in 0..<(try cursor.u32()) {
      _ = try cursor.text()
      try readFormats(&cursor)
    }
  }

  private mutating func readOption(
    _ id: UInt16, _ size: UInt64, _ cursor: inout BinaryCursor
  ) throws {
    guard size <= 1 << 20 else { return }
    switch id {
    case 2: statistics.append(try string(size, &cursor))
    case 4: clock = Self.chosen(try string(size, &cursor)) ?? clock
    case 5: system = try string(size, &cursor)
    case 8 where size >= 4: cpuCount = Int(try cursor.u32())
    case 14 where size >= 16:
      conversion = Conversion(
        multiplier: try cursor.u32(), shift: min(try cursor.u32(), 63),
        offset: try cursor.u64())
    default: break
    }
  }

  private func string(_ size: UInt64, _ cursor: inout BinaryCursor) throws -> String {
    let bytes = try cursor.bytes(size)
    return String(decoding: bytes.prefix { $0 != 0 }, as: UTF8.self)
  }

  /// `local global [mono]`: the one in brackets.
  private static func chosen(_ text: String) -> String? {
    for word in text.split(whereSeparator: \.isWhitespace)
    where word.hasPrefix("[") && word.hasSuffix("]") {
      return String(word.dropFirst().dropLast())
    }
    return nil
  }

  private func limited(_ size: UInt64, _ cursor: inout BinaryCursor) throws -> [UInt8] {
    guard size <= Self.sectionLimit else {
      throw cursor.error("a piece of \(size) bytes is announced, which no trace.dat needs")
    }
    return try cursor.bytes(size)
  }

  private func check(_ data: CPUData) throws {
    guard data.cpu < Int(Event.allCPUs), data.offset <= file.size,
      data.size <= file.size - data.offset
    else {
      throw TraceError(
        file: file.name,
        what: "is cut off: the events of CPU \(data.cpu) are \(data.size) bytes at offset "
          + "\(data.offset), and the file has \(file.size)",
        hint: "copy it again, or record again")
    }
  }

  private func noEvents() -> TraceError {
    TraceError(
      file: file.name, what: "holds no recorded events, only a text or nothing at all",
      hint: "record with trace-cmd record or trace-cmd start … extract")
  }
}
