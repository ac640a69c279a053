/// One event as it was recorded, whatever the form of the file it comes from.
///
/// Every importer fills one of these and hands it on; the joins know nothing of lines or bytes.
struct RecordedEvent {
  /// Who wrote the event, which decides whether some may be missing.
  enum Origin: UInt8 {
    /// A trace point of the kernel: never misses.
    case tracepoint
    /// A kprobe or fprobe.
    case probe
    /// A BPF program that prints.
    case program
  }

  var pid: UInt32 = 0
  var cpu: UInt16 = 0
  /// Letter of the flags that says hardirq/softirq; `.` where there are no flags.
  var interrupt: UInt8 = 0x2E
  /// Nanoseconds, or the value of a counter clock.
  var time: UInt64 = 0
  /// The clock only counts.
  var isCounter = false
  var origin = Origin.tracepoint
  /// Hash of the function a probe sits in; 0 where nobody asked for it or it is not known.
  var symbol: UInt64 = 0
  var comm = CommandName()
  var fields = Fields()

  /// Value of `key`; nil if the event has none.
  @inline(__always)
  subscript(_ key: FieldKey) -> UInt64? { fields[key] }

  /// Value of the first of some keys the event has.
  @inline(__always)
  func first(_ one: FieldKey, _ two: FieldKey, _ three: FieldKey? = nil) -> UInt64? {
    fields.first(one, two, three)
  }
}

/// The name of a task: at most 16 bytes, so that it needs no memory of its own.
struct CommandName: Equatable {
  private var low: UInt64 = 0
  private var high: UInt64 = 0

  /// No name.
  init() {}

  /// The first 16 bytes of `start..<end`.
  init(_ bytes: Span<UInt8>, _ start: Int, _ end: Int) {
    let length = min(end - start, 16)
    guard length > 0 else { return }
    low = ByteWord.prefix(bytes.wordOrLess(at: start), min(length, 8))
    if length > 8 { high = ByteWord.prefix(bytes.wordOrLess(at: start + 8), length - 8) }
  }

  /// The first 16 bytes of `name`.
  init(_ name: String) {
    let bytes = Array(name.utf8)
    self.init(bytes.span, 0, bytes.count)
  }

  /// The name as text.
  var text: String {
    var bytes: [UInt8] = []
    for place in 0..<16 {
      let word = place < 8 ? low : high
      let byte = UInt8(truncatingIfNeeded: word >> UInt64(8 * (place % 8)))
      if byte == 0 { break }
      bytes.append(byte)
    }
    return String(decoding: bytes, as: UTF8.self)
  }
}

/// Takes recorded events one by one, in the order they happened.
///
/// A source fills ``event`` in place, with the fields only if they are wanted, and calls one of
/// the functions. It makes the same calls, in the same order, each time it is read.
protocol RecordConsumer {
  /// The event at hand.
  var event: RecordedEvent { get set }
  /// The keys of the event with the name at `index` of ``NameTable/entries`` that are needed. Asked
  /// once for each event.
  mutating func wantedFields(of index: Int) -> FieldSet
  /// Takes the event; `text` is what a marker says.
  mutating func take(_ index: Int, text: Span<UInt8>) throws
  /// Takes an event whose name nobody taught the importers.
  mutating func takeUnknown(_ name: Span<UInt8>, example: () -> String) throws
  /// Takes a call the function tracer recorded.
  mutating func takeFunction(_ name: Span<UInt8>, example: () -> String) throws
  /// Takes a hole: what `cpu` recorded between its last event and here is missing.
  mutating func takeLoss(cpu: UInt16, count: UInt64?) throws
  /// Takes a piece that cannot be read.
  mutating func takeBad(_ example: () -> String) throws
  /// Takes a piece that is no event and is not meant to be one.
  mutating func takeComment(_ bytes: Span<UInt8>) throws
  /// The source is live, and pauses.
  mutating func pause() throws
}

extension RecordConsumer {
  /// Whether anything the event with the name at `index` says is needed; asked once for each event.
  mutating func wantsFields(of index: Int) -> Bool { !wantedFields(of: index).isEmpty }

  mutating func pause() throws {}
}
