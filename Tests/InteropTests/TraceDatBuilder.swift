/// Writes a trace.dat as trace-cmd would, from records given one by one: both versions, both byte
/// orders, every compression, and pages with whatever a ring buffer can hold.
struct TraceDatBuilder {
  enum Packing: String { case none, zlib, zstd }

  /// One thing on a page.
  enum Item {
    /// An event, so many nanoseconds after what came before it.
    case event(delta: UInt64, [UInt8])
    /// An event whose length stands in a word of its own.
    case long(delta: UInt64, [UInt8])
    case extend(UInt64)
    case stamp(UInt64)
    /// An event that was thrown away; its time counts all the same.
    case discarded(delta: UInt64, size: Int)
    case endOfPage
  }

  struct Page {
    var time: UInt64
    var items: [Item]
    var hasMissed = false
    var missed: UInt64?
  }

  struct Buffer {
    var name = ""
    var cpus: [[Page]]
  }

  var version = 7
  var isBigEndian = false
  var packing = Packing.none
  var pageSize = 4096
  var clock = "mono"
  var formats: [(system: String, text: String)] = []
  var kallsyms = ""
  var printk = ""
  var commands = "7 worker\n"
  var buffers: [Buffer] = []
  var statistics: [String] = []
  var system = "Linux host 6.12.0-test riscv64"

  // MARK: formats and records

  /// The text of a format whose fields follow the common ones, each `(type, name, size, signed)`.
  static func format(
    _ name: String, id: Int, print: String? = nil,
    _ fields: [(type: String, name: String, size: Int, isSigned: Bool)]
  ) -> String {
    var text = """
      name: \(name)
      ID: \(id)
      format:
      \tfield:unsigned short common_type;\toffset:0;\tsize:2;\tsigned:0;
      \tfield:unsigned char common_flags;\toffset:2;\tsize:1;\tsigned:0;
      \tfield:unsigned char common_preempt_count;\toffset:3;\tsize:1;\tsigned:0;
      \tfield:int common_pid;\toffset:4;\tsize:4;\tsigned:1;


      """
    var offset = 8
    for field in fields {
      text +=
        "\tfield:\(field.type) \(field.name);\toffset:\(offset);\tsize:\(field.size);"
        + "\tsigned:\(field.isSigned ? 1 : 0);\n"
      offset += field.size
    }
    let keys = fields.map { "\($0.name)=%lx" }.joined(separator: " ")
    return text + "\nprint fmt: " + (print ?? "\"\(keys)\", 0") + "\n"
  }

  /// A record of event `id` by task 7: the common values, then `words` of the given sizes.
  func record(
    _ id: Int, flags: UInt8 = 0, pid: UInt64 = 7, _ words: [(value: UInt64, size: Int)],
    tail: [UInt8] = []
  ) -> [UInt8] {
    var bytes = number(UInt64(id), 2) + [flags, 0] + number(pid, 4)
    for word in words { bytes += number(word.value, word.size) }
    bytes += tail
    while bytes.count % 4 != 0 { bytes.append(0) }
    return bytes
  }

  func number(_ value: UInt64, _ size: Int) -> [UInt8] {
    let little = (0..<size).map { UInt8(truncatingIfNeeded: value >> UInt64(8 * $0)) }
    return isBigEndian ? little.reversed() : little
  }

  // MARK: pages

  private func head(_ type: UInt64, _ delta: UInt64) -> [UInt8] {
    number(isBigEndian ? type << 27 | delta : delta << 5 | type, 4)
  }

  private func bytes(_ item: Item) -> [UInt8] {
    switch item {
    case .event(let delta, let record): head(UInt64(record.count / 4), delta) + record
    case .long(let delta, let record):
      head(0, delta) + number(UInt64(record.count + 4), 4) + record
    case .extend(let time):
      head(30, time & ((1 << 27) - 1)) + number(time >> 27, 4)
    case .stamp(let time):
      head(31, time & ((1 << 27) - 1)) + number(time >> 27 & 0xFFFF_FFFF, 4)
    case .discarded(let delta, let size):
      head(29, delta) + number(UInt64(size), 4) + [UInt8](repeating: 0xAA, count: size - 4)
    case .endOfPage: head(29, 0)
    }
  }

  private func bytes(_ page: Page) -> [UInt8] {
    let body = page.items.flatMap { bytes($0) }
    var commit = UInt64(body.count)
    if page.hasMissed { commit |= 1 << 31 }
    if page.missed != nil { commit |= 1 << 30 }
    var result = number(page.time, 8) + number(commit, 8) + body
    if let missed = page.missed { result += number(missed, 8) }
    return result + [UInt8](repeating: 0, count: pageSize - result.count)
  }

  // MARK: pieces of the file

  private var layout: [UInt8] {
    let page = """
      \tfield: u64 timestamp;\toffset:0;\tsize:8;\tsigned:0;
      \tfield: local_t commit;\toffset:8;\tsize:8;\tsigned:1;
      \tfield: char overwrite;\toffset:8;\tsize:1;\tsigned:0;
      \tfield: char data;\toffset:16;\tsize:\(pageSize - 16);\tsigned:0;

      """
    let event = """
      # compressed entry header
      \ttype_len    :    5 bits
      \ttime_delta  :   27 bits
      \tarray       :   32 bits

      \tpadding     : type == 29
      \ttime_extend : type == 30
      \ttime_stamp : type == 31
      \tdata max type_len  == 28

      """
    return text("header_page") + sized(page, 8) + text("header_event") + sized(event, 8)
  }

  private func text(_ text: String) -> [UInt8] { Array(text.utf8) + [0] }
  private func sized(_ text: String, _ width: Int) -> [UInt8] {
    number(UInt64(text.utf8.count), width) + Array(text.utf8)
  }

  private func formats(of system: String) -> [UInt8] {
    let texts = formats.filter { $0.system == system }.map(\.text)
    return number(UInt64(texts.count), 4) + texts.flatMap { sized($0, 8) }
  }

  private var systems: [UInt8] {
    var names: [String] = []
    for (system, _) in formats where system != "ftrace" && !names.contains(system) {
      names.append(system)
    }
    return number(UInt64(names.count), 4) + names.flatMap { text($0) + formats(of: $0) }
  }

  private var options: [(id: UInt64, data: [UInt8])] {
    [(4, text("local [\(clock)] tai")), (5, text(system))]
      + statistics.map { (2, text($0)) }
      + [(8, number(UInt64(buffers.first?.cpus.count ?? 0), 4))]
  }

  private func option(_ id: UInt64, _ data: [UInt8]) -> [UInt8] {
    number(id, 2) + number(UInt64(data.count), 4) + data
  }

  var file: [UInt8] { version == 6 ? file6 : file7 }

  private var start: [UInt8] {
    [0x17, 0x08, 0x44] + Array("tracing".utf8) + text("\(version)") + [isBigEndian ? 1 : 0, 8]
      + number(UInt64(pageSize), 4)
  }

  // MARK: version 6

  private var file6: [UInt8] {
    var file = start + layout + formats(of: "ftrace") + systems
    file += sized(kallsyms, 4) + sized(printk, 4) + sized(commands, 8)
    file += number(UInt64(buffers[0].cpus.count), 4) + text("options  ")
    for (id, data) in options { file += option(id, data) }
    var patches: [(at: Int, buffer: Int)] = []
    for index in buffers.indices.dropFirst() {
      patches.append((file.count + 6, index))
      file += option(3, number(0, 8) + text(buffers[index].name))
    }
    file += number(0, 2)
    append(buffers[0], to: &file)
    for patch in patches {
      file.replaceSubrange(patch.at..<patch.at + 8, with: number(UInt64(file.count), 8))
      append(buffers[patch.buffer], to: &file)
    }
    return file
  }

  private func append(_ buffer: Buffer, to file: inout [UInt8]) {
    file += text("flyrecord")
    var place = file.count
    file += [UInt8](repeating: 0, count: 16 * buffer.cpus.count)
    for pages in buffer.cpus {
      while file.count % pageSize != 0 { file.append(0) }
      let data = pages.flatMap { bytes($0) }
      let entry = number(UInt64(file.count), 8) + number(UInt64(data.count), 8)
      file.replaceSubrange(place..<place + 16, with: entry)
      place += 16
      file += data
    }
  }

  // MARK: version 7

  private var file7: [UInt8] {
    var file = start + text(packing.rawValue) + text(packing == .none ? "" : "1.0")
    let place = file.count
    file += number(0, 8)
    var list: [UInt8] = []
    let sections: [(UInt64, [UInt8])] = [
      (16, layout), (17, formats(of: "ftrace")), (18, systems), (19, sized(kallsyms, 4)),
      (20, sized(printk, 4)), (21, sized(commands, 8)),
    ]
    for (id, content) in sections {
      list += option(id, number(UInt64(file.count), 8))
      file += section(id, content)
    }
    for (id, data) in options { list += option(id, data) }
    for buffer in buffers { list += option(3, append7(buffer, to: &file)) }
    list += option(0, number(0, 8))
    file.replaceSubrange(place..<place + 8, with: number(UInt64(file.count), 8))
    return file + section(0, list)
  }

  private func section(_ id: UInt64, _ content: [UInt8]) -> [UInt8] {
    guard packing != .none else {
      return number(id, 2) + number(0, 2) + number(0, 4) + number(UInt64(content.count), 8)
        + content
    }
    let packed = pack(content)
    return number(id, 2) + number(1, 2) + number(0, 4) + number(UInt64(packed.count), 8) + packed
  }

  private func append7(_ buffer: Buffer, to file: inout [UInt8]) -> [UInt8] {
    let place = file.count
    var body: [UInt8] = []
    var table: [UInt8] = []
    for (cpu, pages) in buffer.cpus.enumerated() {
      let data = pages.map { bytes($0) }
      let content =
        packing == .none
        ? data.flatMap { $0 } : number(UInt64(data.count), 4) + data.flatMap { pack($0) }
      table += number(UInt64(cpu), 4) + number(UInt64(place + 16 + body.count), 8)
      table += number(UInt64(content.count), 8)
      body += content
    }
    file += number(3, 2) + number(packing == .none ? 0 : 1, 2) + number(0, 4)
    file += number(UInt64(body.count), 8) + body
    return number(UInt64(place), 8) + text(buffer.name) + text(clock)
      + number(UInt64(pageSize), 4) + number(UInt64(buffer.cpus.count), 4) + table
  }

  /// Both sizes, and the content as zlib or zstd would store what they cannot make smaller.
  private func pack(_ content: [UInt8]) -> [UInt8] {
    let packed = packing == .zlib ? Self.storedZlib(content) : Self.storedZstd(content)
    return number(UInt64(packed.count), 4) + number(UInt64(content.count), 4) + packed
  }

  private static func storedZlib(_ content: [UInt8]) -> [UInt8] {
    var result: [UInt8] = [0x78, 0x01]
    var left = content[...]
    repeat {
      let part = left.prefix(65_535)
      left = left.dropFirst(part.count)
      let size = UInt16(part.count)
      result.append(left.isEmpty ? 1 : 0)
      for value in [size, ~size] { result += [UInt8(value & 0xFF), UInt8(value >> 8)] }
      result += part
    } while !left.isEmpty
    var low: UInt32 = 1
    var high: UInt32 = 0
    for byte in content {
      low = (low + UInt32(byte)) % 65_521
      high = (high + low) % 65_521
    }
    let sum = high << 16 | low
    return result + [24, 16, 8, 0].map { UInt8(truncatingIfNeeded: sum >> $0) }
  }

  private static func storedZstd(_ content: [UInt8]) -> [UInt8] {
    var result: [UInt8] = [0x28, 0xB5, 0x2F, 0xFD, 0xA0]
    result += (0..<4).map { UInt8(truncatingIfNeeded: content.count >> (8 * $0)) }
    var left = content[...]
    repeat {
      let part = left.prefix(1 << 16)
      left = left.dropFirst(part.count)
      let head = part.count << 3 | (left.isEmpty ? 1 : 0)
      result += (0..<3).map { UInt8(truncatingIfNeeded: head >> (8 * $0)) } + part
    } while !left.isEmpty
    return result
  }
}
