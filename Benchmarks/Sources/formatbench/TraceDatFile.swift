import Glibc
import TraceFormat

/// Writes the events of a trace as a `trace.dat` of version 6, as trace-cmd would have recorded them:
/// an event format for each kind, and pages of the kernel's ring buffer for each CPU.
///
/// A field is as wide as its largest value needs. What an event says is in its record, but for the
/// generation, which any reader of the events can count. The context stands where the kernel has the
/// preemption count.
struct TraceDatFile {
  /// Bytes of the fields of one kind; 0 = it has no such field.
  private struct Layout {
    var object = 0
    var arg0 = 0
    var arg1 = 0
    var level = 0
    var flags = 0

    /// Bytes of a record, with the eight every event begins with.
    var size: Int { (8 + object + arg0 + arg1 + level + flags + 3) & ~3 }

    mutating func widen(for event: Event) {
      object = max(object, Self.width(event.object))
      arg0 = max(arg0, Self.width(event.arg0))
      arg1 = max(arg1, Self.width(event.arg1))
      level = max(level, event.level == .unknown ? 0 : 1)
      flags = max(flags, event.flags.isEmpty ? 0 : 1)
    }

    private static func width(_ value: UInt64) -> Int {
      value == 0 ? 0 : value >> 8 == 0 ? 1 : value >> 16 == 0 ? 2 : value >> 32 == 0 ? 4 : 8
    }
  }

  /// The pages of one CPU.
  private struct Ring {
    static let pageSize = 4096
    let file = tmpfile()!
    private(set) var bytes: UInt64 = 0
    private var page: [UInt8] = []
    private var last: UInt64 = 0

    /// Adds a record; nil if its time lies before that of the one before.
    mutating func append(_ record: [UInt8], at time: UInt64) -> Void? {
      if page.count + 12 + record.count > Self.pageSize { flush() }
      if page.isEmpty {
        page = TraceDatFile.number(time, 8) + TraceDatFile.number(0, 8)
        last = time
      }
      guard time >= last else { return nil }
      var delta = time - last
      last = time
      if delta >= 1 << 27 {
        page += TraceDatFile.number(30 | (delta & ((1 << 27) - 1)) << 5, 4)
        page += TraceDatFile.number(delta >> 27, 4)
        delta = 0
      }
      page += TraceDatFile.number(UInt64(record.count / 4) | delta << 5, 4) + record
      return ()
    }

    mutating func flush() {
      guard !page.isEmpty else { return }
      page.replaceSubrange(8..<16, with: TraceDatFile.number(UInt64(page.count - 16), 8))
      page += repeatElement(0, count: Self.pageSize - page.count)
      fwrite(page, 1, page.count, file)
      bytes += UInt64(page.count)
      page.removeAll(keepingCapacity: true)
    }
  }

  /// First number of the events.
  private static let firstID = 2000

  /// Writes the events of the trace at `input` to `output`; the text of an error, if there is one.
  static func convert(_ input: String, _ output: String) throws -> String? {
    var layouts: [EventKind: Layout] = [:]
    try eachEvent(input) { layouts[$0.kind, default: Layout()].widen(for: $0) }
    let cpus = try TraceReader(path: input).header.cpus
    var rings = (0..<cpus).map { _ in Ring() }
    var isInOrder = true
    try eachEvent(input) { event in
      let record = Self.record(event, layouts[event.kind]!)
      let cpu = event.cpu == Event.allCPUs ? 0 : Int(event.cpu)
      if rings[cpu].append(record, at: event.time) == nil { isInOrder = false }
    }
    guard isInOrder else { return "the time of a CPU goes back" }
    for cpu in rings.indices { rings[cpu].flush() }
    guard let file = fopen(output, "wb") else { return "cannot write \(output)" }
    defer { fclose(file) }
    write(head(layouts, rings.map(\.bytes)), to: file)
    for ring in rings { copy(ring.file, to: file) }
    return nil
  }

  private static func eachEvent(_ path: String, _ body: (Event) -> Void) throws {
    let reader = try TraceReader(path: path)
    var batch = EventBatch()
    while try reader.next(into: &batch) { for event in batch.events { body(event) } }
  }

  private static func record(_ event: Event, _ layout: Layout) -> [UInt8] {
    var record = number(UInt64(firstID) + UInt64(event.kind.rawValue), 2)
    record += [0, event.context.rawValue] + number(UInt64(event.task), 4)
    record += number(event.object, layout.object) + number(event.arg0, layout.arg0)
    record += number(event.arg1, layout.arg1)
    record += number(UInt64(event.level.rawValue), layout.level)
    record += number(UInt64(event.flags.rawValue), layout.flags)
    return record + [UInt8](repeating: 0, count: layout.size - record.count)
  }

  fileprivate static func number(_ value: UInt64, _ size: Int) -> [UInt8] {
    (0..<size).map { UInt8(truncatingIfNeeded: value >> UInt64(8 * $0)) }
  }

  // MARK: what stands before the pages

  private static func head(_ layouts: [EventKind: Layout], _ sizes: [UInt64]) -> [UInt8] {
    var head: [UInt8] = [0x17, 0x08, 0x44] + Array("tracing".utf8) + text("6") + [0, 8]
    head += number(UInt64(Ring.pageSize), 4)
    head += text("header_page") + sized(pageHeader) + text("header_event") + sized(eventHeader)
    head += number(0, 4) + number(1, 4) + text("pgtable") + number(UInt64(layouts.count), 4)
    for (kind, layout) in layouts.sorted(by: { $0.key.rawValue < $1.key.rawValue }) {
      head += sized(format(kind, layout))
    }
    // No symbols, no texts of printk(), no commands.
    head += number(0, 4) + number(0, 4) + number(0, 8)
    head += number(UInt64(sizes.count), 4) + text("options  ") + number(0, 2) + text("flyrecord")
    let page = UInt64(Ring.pageSize)
    var offset = (UInt64(head.count + 16 * sizes.count) + page - 1) / page * page
    let start = Int(offset)
    for size in sizes {
      head += number(offset, 8) + number(size, 8)
      offset += size
    }
    return head + [UInt8](repeating: 0, count: start - head.count)
  }

  private static let pageHeader = """
    \tfield: u64 timestamp;\toffset:0;\tsize:8;\tsigned:0;
    \tfield: local_t commit;\toffset:8;\tsize:8;\tsigned:1;
    \tfield: int overwrite;\toffset:8;\tsize:1;\tsigned:1;
    \tfield: char data;\toffset:16;\tsize:4080;\tsigned:1;

    """
  private static let eventHeader = """
    # compressed entry header
    \ttype_len    :    5 bits
    \ttime_delta  :   27 bits
    \tarray       :   32 bits

    \tpadding     : type == 29
    \ttime_extend : type == 30
    \ttime_stamp : type == 31
    \tdata max type_len  == 28

    """

  private static func format(_ kind: EventKind, _ layout: Layout) -> String {
    var text = """
      name: \(kind.name)
      ID: \(firstID + Int(kind.rawValue))
      format:
      \tfield:unsigned short common_type;\toffset:0;\tsize:2;\tsigned:0;
      \tfield:unsigned char common_flags;\toffset:2;\tsize:1;\tsigned:0;
      \tfield:unsigned char common_preempt_count;\toffset:3;\tsize:1;\tsigned:0;
      \tfield:int common_pid;\toffset:4;\tsize:4;\tsigned:1;


      """
    let fields = [
      ("object", layout.object), ("arg0", layout.arg0), ("arg1", layout.arg1),
      ("level", layout.level), ("evflags", layout.flags),
    ].filter { $0.1 > 0 }
    var offset = 8
    for (name, size) in fields {
      text += "\tfield:u\(8 * size) \(name);\toffset:\(offset);\tsize:\(size);\tsigned:0;\n"
      offset += size
    }
    let keys = fields.map { "\($0.0)=0x%llx" }.joined(separator: " ")
    let values = fields.map { ", REC->\($0.0)" }.joined()
    return text + "\nprint fmt: \"\(keys)\"\(values)\n"
  }

  private static func text(_ text: String) -> [UInt8] { Array(text.utf8) + [0] }
  private static func sized(_ text: String) -> [UInt8] {
    number(UInt64(text.utf8.count), 8) + Array(text.utf8)
  }

  private static func write(_ bytes: [UInt8], to file: UnsafeMutablePointer<FILE>) {
    fwrite(bytes, 1, bytes.count, file)
  }

  private static func copy(
    _ source: UnsafeMutablePointer<FILE>, to file: UnsafeMutablePointer<FILE>
  ) {
    rewind(source)
    defer { fclose(source) }
    var buffer = [UInt8](repeating: 0, count: 1 << 16)
    while case let count = fread(&buffer, 1, buffer.count, source), count > 0 {
      fwrite(buffer, 1, count, file)
    }
  }
}
