import CZstd
import Glibc
import TraceFormat

/// The bytes of an input, read front to back and, for a second pass, again from the start.
///
/// Takes a file, a pipe or `-`; what begins as zstd (windows up to 2^31 bytes) or gzip is
/// decompressed on the fly. What cannot be read twice is spooled to an unlinked temporary file
/// first, unless it is followed (``init(following:)``). Memory is two fixed buffers plus the
/// decoder's window. All `unsafe` of this module is in the files of this folder.
@safe final class ByteSource {
  /// The name a person gave it.
  let name: String
  private let raw: Raw
  /// Place in the file of the next byte that is read from it.
  private var offset: UInt64 = 0
  private var decoder: OpaquePointer?
  private var inflater: Inflater?
  private var compressed: [UInt8] = []
  private var position = 0
  private var filled = 0
  private var frameIsOpen = false
  private var bytesRead: UInt64 = 0
  private let size: UInt64
  /// How often the input will have been read in the end.
  var passes: UInt64 = 2
  /// Called with the bytes read so far and those of all passes over the input.
  var progress: ((UInt64, UInt64) -> Void)?

  /// Where the bytes come from.
  private enum Raw {
    case file(RandomFile)
    case live(LiveInput)
  }

  private static let chunk = 1 << 18
  private static let zstdMagic: [UInt8] = [0x28, 0xB5, 0x2F, 0xFD]
  private static let gzipMagic: [UInt8] = [0x1F, 0x8B, 0x08]

  /// Opens `path`; throws a ``TraceError`` for what is no readable file.
  convenience init(path: String) throws(TraceError) {
    let opened = unsafe path == "-" ? dup(0) : open(path, O_RDONLY | O_CLOEXEC)
    guard opened >= 0 else { throw Self.systemError(path, "cannot be opened") }
    var status = stat()
    guard unsafe fstat(opened, &status) == 0 else {
      let error = Self.systemError(path, "cannot be examined")
      close(opened)
      throw error
    }
    let type = status.st_mode & S_IFMT
    guard type != S_IFDIR else {
      close(opened)
      throw TraceError(
        file: path, what: "is a directory",
        hint: "name the trace in it, such as trace.txt or trace.txt.zst")
    }
    var regular = opened
    if type != S_IFREG || lseek(opened, 0, SEEK_SET) != 0 {
      defer { close(opened) }
      regular = try Self.spool(opened, name: path)
    }
    try self.init(try RandomFile(taking: regular, name: path))
  }

  /// The bytes of `file`, from its start.
  convenience init(_ file: RandomFile) throws(TraceError) {
    var magic = [UInt8](repeating: 0, count: 4)
    let count = try file.read(at: 0, into: &magic, from: 0)
    self.init(.file(file), name: file.name, size: file.size, magic: magic.prefix(count))
  }

  /// Follows `path` (`-` is standard input) while it is being written: reads what there is and
  /// waits for more, until a pipe ends or ``StreamStop`` says so. Goes back to the start only as
  /// long as no more than ``LiveInput/headBytes`` were read.
  convenience init(following path: String, output: Int32?) throws(TraceError) {
    let input = try LiveInput(path: path, output: output)
    self.init(.live(input), name: path, size: 0, magic: try input.head(4)[...])
  }

  private init(_ raw: Raw, name: String, size: UInt64, magic: ArraySlice<UInt8>) {
    self.raw = raw
    self.name = name
    self.size = size
    if magic.elementsEqual(Self.zstdMagic) {
      unsafe decoder = ZSTD_createDCtx()
      _ = unsafe ZSTD_DCtx_setParameter(decoder, ZSTD_d_windowLogMax, 31)
      compressed = [UInt8](repeating: 0, count: Self.chunk)
    } else if magic.starts(with: Self.gzipMagic) {
      inflater = Inflater()
      compressed = [UInt8](repeating: 0, count: Self.chunk)
    }
  }

  /// Whether the file itself holds the bytes, not a compressed form of them.
  private var isPlain: Bool { unsafe decoder == nil && inflater == nil }

  deinit {
    if let decoder = unsafe decoder { unsafe ZSTD_freeDCtx(decoder) }
  }

  /// Whether it is read while it is being written.
  var isLive: Bool { if case .live = raw { true } else { false } }

  /// Waits until something can be read; false each time a second went by in which the reader
  /// might have handed on what it has.
  func awaitBytes() -> Bool {
    guard case .live(let input) = raw, position == filled else { return true }
    return input.awaitBytes()
  }

  /// Goes back to the first byte.
  func rewind() throws(TraceError) {
    if case .live(let input) = raw { try input.rewind() }
    offset = 0
    position = 0
    filled = 0
    frameIsOpen = false
    if let decoder = unsafe decoder { _ = unsafe ZSTD_DCtx_reset(decoder, ZSTD_reset_session_only) }
    inflater?.reset()
  }

  /// The file that holds the bytes as they are, where it can be read at any place.
  var plainFile: RandomFile? {
    guard isPlain, case .file(let file) = raw else { return nil }
    return file
  }

  /// The bytes as a file that can be read at any place; what is compressed is spooled.
  func randomFile() throws(TraceError) -> RandomFile {
    if let file = plainFile { return file }
    try rewind()
    let spool = try Self.temporaryFile()
    var buffer = [UInt8](repeating: 0, count: Self.chunk)
    do {
      while case let count = try read(into: &buffer, at: 0), count > 0 {
        try Self.write(buffer, count, to: spool)
      }
    } catch {
      close(spool)
      throw error
    }
    return try RandomFile(taking: spool, name: name)
  }

  /// Fills `buffer` from `offset` on; returns the number of bytes, 0 at the end.
  func read(into buffer: inout [UInt8], at offset: Int) throws(TraceError) -> Int {
    guard !isPlain else { return try readRaw(into: &buffer, at: offset) }
    while true {
      if position == filled {
        filled = try readRaw(into: &compressed, at: 0)
        position = 0
        if filled == 0 {
          guard !frameIsOpen else {
            let kind = inflater == nil ? "zstd" : "gzip"
            throw TraceError(
              file: name, what: "the \(kind) stream ends in the middle of a frame",
              hint: "the file was cut off: copy it again")
          }
          return 0
        }
      }
      let produced =
        inflater != nil
        ? try inflate(into: &buffer, at: offset) : try decompress(into: &buffer, at: offset)
      if produced > 0 { return produced }
    }
  }

  private func inflate(into buffer: inout [UInt8], at offset: Int) throws(TraceError) -> Int {
    guard let inflater else { return 0 }
    // The first member is the stream; what a tool put behind it is not.
    let step = inflater.step(compressed, from: position, count: filled, into: &buffer, at: offset)
    guard !step.isBad else {
      throw TraceError(
        file: name, what: "the gzip stream cannot be decompressed",
        hint: "the file is damaged: copy it again")
    }
    position += step.consumed
    frameIsOpen = !step.isEnd
    if step.isEnd {
      if position < filled, compressed[position] == Self.gzipMagic[0] {
        inflater.reset()
      } else {
        position = filled
      }
    }
    return step.produced
  }

  private func decompress(into buffer: inout [UInt8], at offset: Int) throws(TraceError) -> Int {
    var result = 0
    var produced = 0
    unsafe buffer.withUnsafeMutableBytes { target in
      unsafe compressed.withUnsafeBytes { source in
        var output = unsafe ZSTD_outBuffer(
          dst: target.baseAddress! + offset, size: target.count - offset, pos: 0)
        var input = unsafe ZSTD_inBuffer(src: source.baseAddress, size: filled, pos: position)
        result = unsafe ZSTD_decompressStream(decoder, &output, &input)
        unsafe position = input.pos
        unsafe produced = output.pos
      }
    }
    guard ZSTD_isError(result) == 0 else {
      let reason = unsafe String(cString: ZSTD_getErrorName(result))
      throw TraceError(
        file: name, what: "the zstd stream cannot be decompressed (\(reason))",
        hint: "the file is damaged: copy it again")
    }
    frameIsOpen = result != 0
    return produced
  }

  private func readRaw(into buffer: inout [UInt8], at place: Int) throws(TraceError) -> Int {
    let count =
      switch raw {
      case .file(let file): try file.read(at: offset, into: &buffer, from: place)
      case .live(let input): try input.read(into: &buffer, from: place)
      }
    offset += UInt64(count)
    bytesRead += UInt64(count)
    progress?(bytesRead, passes * size)
    return count
  }

  /// Copies what cannot be rewound to a temporary file that has no name any more.
  private static func spool(_ source: CInt, name: String) throws(TraceError) -> CInt {
    let spool = try temporaryFile()
    var buffer = [UInt8](repeating: 0, count: chunk)
    while true {
      let count = unsafe buffer.withUnsafeMutableBytes {
        unsafe Glibc.read(source, $0.baseAddress, $0.count)
      }
      if count == 0 { break }
      if count < 0 {
        if errno == EINTR { continue }
        let error = systemError(name, "cannot be read")
        close(spool)
        throw error
      }
      do {
        try write(buffer, count, to: spool)
      } catch {
        close(spool)
        throw error
      }
    }
    lseek(spool, 0, SEEK_SET)
    return spool
  }

  private static var temporaryFolder: String {
    unsafe getenv("TMPDIR").map { unsafe String(cString: $0) } ?? "/tmp"
  }

  private static func temporaryFile() throws(TraceError) -> CInt {
    var template = Array("\(temporaryFolder)/tracetool.XXXXXX".utf8CString)
    let spool = unsafe template.withUnsafeMutableBufferPointer { unsafe mkstemp($0.baseAddress!) }
    guard spool >= 0 else {
      throw systemError(temporaryFolder, "no temporary file can be made in it")
    }
    _ = unsafe template.withUnsafeBufferPointer { unsafe unlink($0.baseAddress!) }
    return spool
  }

  private static func write(
    _ buffer: [UInt8], _ count: Int, to spool: CInt
  ) throws(TraceError) {
    var done = 0
    while done < count {
      let written = unsafe buffer.withUnsafeBytes {
        unsafe Glibc.write(spool, $0.baseAddress! + done, count - done)
      }
      guard written > 0 else {
        throw systemError(temporaryFolder, "the temporary copy of the input cannot be written")
      }
      done += written
    }
  }

  private static func systemError(_ file: String, _ what: String) -> TraceError {
    let reason = unsafe String(cString: strerror(errno))
    return TraceError(file: file, what: "\(what): \(reason)")
  }

  /// Offset of the first line feed of `bytes` in `start..<end`, if any.
  static func lineFeed(in bytes: Span<UInt8>, from start: Int, to end: Int) -> Int? {
    guard start < end else { return nil }
    return unsafe bytes.withUnsafeBytes { raw in
      let base = raw.baseAddress!
      guard let hit = unsafe memchr(base + start, 0x0A, end - start) else { return nil }
      return unsafe UnsafeRawPointer(hit) - base
    }
  }

  /// The bytes of the small file `path`; nil if it is not there, is no file or is above `limit`.
  static func small(_ path: String, limit: Int = 4 << 20) -> [UInt8]? {
    var status = stat()
    guard unsafe stat(path, &status) == 0, status.st_mode & S_IFMT == S_IFREG,
      status.st_size <= limit, let source = try? ByteSource(path: path)
    else { return nil }
    return source.small(limit: limit)
  }

  /// All the bytes; nil if they are more than `limit` or cannot be read.
  func small(limit: Int = 4 << 20) -> [UInt8]? {
    guard (try? rewind()) != nil else { return nil }
    var bytes: [UInt8] = []
    var buffer = [UInt8](repeating: 0, count: 1 << 16)
    while let count = try? read(into: &buffer, at: 0), count > 0 {
      bytes.append(contentsOf: buffer[..<count])
      guard bytes.count <= limit else { return nil }
    }
    return bytes
  }
}
