import TraceFormat

/// The events of one CPU in one ring buffer, one after the other.
///
/// Holds one page, or one chunk of compressed pages, at a time.
struct PageStream {
  /// Place of this CPU among those of all buffers: among equal times the lower one is first, as
  /// in the kernel's own text.
  let cpu: Int
  /// Time of the event at hand, as the clock counts.
  private(set) var time: UInt64 = 0
  /// Place of the event at hand in ``page``.
  private(set) var payload = 0..<0
  /// The page the event at hand lies in.
  private(set) var page: [UInt8] = []
  /// Events before the one at hand were lost.
  private(set) var hasMissed = false
  /// How many, where the page says so.
  private(set) var missed: UInt64?

  private let file: RandomFile
  private let layout: BufferLayout
  private let isBigEndian: Bool
  private let pageSize: Int
  private let compression: Compression
  // The pages still to be read.
  private var offset: UInt64
  private let end: UInt64
  private var chunksLeft: UInt32 = 0
  private var pages: [UInt8] = []
  private var pagesAt = 0
  /// Place of ``page`` in the file, or of the chunk it came from.
  private var origin: UInt64 = 0
  private var at = 0
  private var limit = 0

  /// Most bytes a compressed chunk may expand to; trace-cmd writes ten pages.
  static let chunkLimit = 16 << 20

  init(
    _ trace: TraceDatFile, _ layout: BufferLayout, _ buffer: TraceDatFile.Buffer,
    _ data: TraceDatFile.CPUData
  ) throws(TraceError) {
    file = trace.file
    self.layout = layout
    isBigEndian = trace.isBigEndian
    pageSize = buffer.pageSize
    compression = buffer.isCompressed ? trace.compression : .none
    cpu = data.cpu
    offset = data.offset
    // Some trace-cmd leave the number of chunks out of the size: that number alone tells the end.
    end = buffer.isCompressed ? trace.file.size : data.offset + data.size
    guard layout.data.offset < pageSize else {
      throw TraceError(
        file: trace.file.name,
        what: "a page has \(pageSize) bytes and its events begin at byte \(layout.data.offset)")
    }
    if buffer.isCompressed, data.size > 0 { chunksLeft = try number32() }
  }

  /// Goes on to the next event; false at the end.
  mutating func next() throws(TraceError) -> Bool {
    hasMissed = false
    missed = nil
    while true {
      while at < limit {
        if try step() { return true }
      }
      guard try nextPage() else { return false }
    }
  }

  /// Takes what is at ``at``; true if it is an event.
  private mutating func step() throws(TraceError) -> Bool {
    let head = try word()
    let typeMask: UInt32 = (1 << UInt32(layout.typeBits)) - 1
    let deltaMask: UInt32 = (1 << UInt32(layout.deltaBits)) - 1
    let type = isBigEndian ? head >> UInt32(layout.deltaBits) : head & typeMask
    let delta = UInt64(isBigEndian ? head & deltaMask : head >> UInt32(layout.typeBits))
    switch type {
    case layout.paddingType:
      // Without a delta nothing follows on this page; with one an event was thrown away.
      guard delta > 0 else {
        at = limit
        return false
      }
      time &+= delta
      let size = Int(try word())
      guard size >= 4 else { throw damaged("a discarded event of \(size) bytes") }
      try skip(size - 4)
      return false
    case layout.extendType:
      time &+= UInt64(try word()) << UInt64(layout.deltaBits) &+ delta
      return false
    case layout.stampType:
      setTime(UInt64(try word()) << UInt64(layout.deltaBits) &+ delta)
      return false
    default: break
    }
    guard type <= layout.dataMaximum else { throw damaged("an event of type \(type)") }
    var size = Int(type) * 4
    if type == 0 {
      let whole = Int(try word())
      guard whole >= 4 else { throw damaged("an event of \(whole) bytes") }
      size = (whole - 4 + 3) & ~3
    }
    time &+= delta
    let start = at
    try skip(size)
    payload = start..<at
    return true
  }

  /// A time stamp has fewer bits than a time: the page's time tells the others.
  private mutating func setTime(_ stamp: UInt64) {
    let bits = UInt64(layout.deltaBits + 32)
    let high = time & ~((1 << bits) - 1)
    var full = high | stamp
    if high != 0, full < time { full &+= 1 << bits }
    time = full
  }

  // MARK: pages

  /// Makes the next page the one at hand; false at the end.
  private mutating func nextPage() throws(TraceError) -> Bool {
    guard try loadPage() else { return false }
    guard page.count >= layout.data.offset else {
      throw damaged("a page of \(page.count) bytes has no head")
    }
    at = layout.timestamp.offset
    time = number(at, 8)
    at = layout.commit.offset
    let commit = number(at, layout.commit.size)
    // Two bits of the length say that events before the page were lost, and that their number
    // stands behind its events.
    let size = Int(commit & 0x07FF_FFFF)
    at = layout.data.offset
    guard size <= page.count - at else {
      throw damaged("a page's events are \(size) bytes and \(page.count - at) are there")
    }
    limit = at + size
    if commit & 1 << 31 != 0 {
      hasMissed = true
      let width = layout.commit.size
      if commit & 1 << 30 != 0, page.count - limit >= width {
        missed = (missed ?? 0) &+ number(limit, width)
      }
    }
    return true
  }

  private mutating func loadPage() throws(TraceError) -> Bool {
    if compression == .none {
      guard offset < end else { return false }
      let count = Int(min(UInt64(pageSize), end - offset))
      origin = offset
      page = try file.read(at: offset, count: count)
      offset += UInt64(count)
      return true
    }
    while pagesAt >= pages.count {
      guard chunksLeft > 0 else { return false }
      chunksLeft -= 1
      try loadChunk()
    }
    let stop = min(pagesAt + pageSize, pages.count)
    page = Array(pages[pagesAt..<stop])
    pagesAt = stop
    return true
  }

  private mutating func loadChunk() throws(TraceError) {
    origin = offset
    let packed = UInt64(try number32())
    let count = Int(try number32())
    guard packed <= end - offset, count <= Self.chunkLimit, count > 0 else {
      throw damaged("a chunk of \(packed) bytes that expands to \(count)")
    }
    let bytes = try file.read(at: offset, count: Int(packed))
    offset += packed
    guard let expanded = compression.expand(bytes, to: count) else {
      throw damaged("a chunk that cannot be decompressed")
    }
    pages = expanded
    pagesAt = 0
  }

  /// A number of the file itself, at ``offset``.
  private mutating func number32() throws(TraceError) -> UInt32 {
    guard end - offset >= 4 else { throw damaged("the chunks end too early") }
    let bytes = try file.read(at: offset, count: 4)
    offset += 4
    return UInt32(BinaryNumber.read(bytes.span, 0, 4, isBigEndian: isBigEndian))
  }

  // MARK: numbers of the page

  private func number(_ at: Int, _ size: Int) -> UInt64 {
    BinaryNumber.read(page.span, at, size, isBigEndian: isBigEndian)
  }

  private mutating func word() throws(TraceError) -> UInt32 {
    guard limit - at >= 4 else { throw damaged("an event ends in its head") }
    defer { at += 4 }
    return UInt32(number(at, 4))
  }

  private mutating func skip(_ size: Int) throws(TraceError) {
    guard size <= limit - at else {
      throw damaged("an event of \(size) bytes and \(limit - at) are there")
    }
    at += size
  }

  private func damaged(_ what: String) -> TraceError {
    TraceError(
      file: file.name,
      what: "the events of CPU \(cpu) are damaged: \(what), at byte \(at) of the page at offset "
        + "\(origin)",
      hint: "copy the file again, or record again")
  }
}
