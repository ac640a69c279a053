import CZstd
import Glibc
import TraceFormat

/// The bytes of an input, read front to back and, for a second pass, again from the start.
///
/// Takes a file, a pipe or `-`; a zstd frame at the start is decompressed on the fly (windows up to
/// 2^31 bytes). What cannot be read twice is spooled to an unlinked temporary file first. Memory is
/// two fixed buffers plus zstd's window. All `unsafe` of this module is in this file.
@safe final class ByteSource {
  /// The name a person gave it.
  let name: String
  private let descriptor: CInt
  private var decoder: OpaquePointer?
  private var compressed: [UInt8] = []
  private var position = 0
  private var filled = 0
  private var frameIsOpen = false
  private var bytesRead: UInt64 = 0
  private let size: UInt64
  /// Called with the bytes read so far and those of two passes over the input.
  var progress: ((UInt64, UInt64) -> Void)?

  private static let chunk = 1 << 18
  private static let zstdMagic: [UInt8] = [0x28, 0xB5, 0x2F, 0xFD]

  /// Opens `path`; throws a ``TraceError`` for what is no readable file.
  init(path: String) throws(TraceError) {
    name = path
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
    if type == S_IFREG, lseek(opened, 0, SEEK_SET) == 0 {
      descriptor = opened
    } else {
      defer { close(opened) }
      descriptor = try Self.spool(opened, name: path)
    }
    size = unsafe fstat(descriptor, &status) == 0 ? UInt64(clamping: status.st_size) : 0
    var magic = [UInt8](repeating: 0, count: 4)
    let count = unsafe magic.withUnsafeMutableBytes {
      unsafe pread(descriptor, $0.baseAddress, 4, 0)
    }
    if count == 4, magic == Self.zstdMagic {
      unsafe decoder = ZSTD_createDCtx()
      _ = unsafe ZSTD_DCtx_setParameter(decoder, ZSTD_d_windowLogMax, 31)
      compressed = [UInt8](repeating: 0, count: Self.chunk)
    }
  }

  deinit {
    if let decoder = unsafe decoder { unsafe ZSTD_freeDCtx(decoder) }
    close(descriptor)
  }

  /// Goes back to the first byte.
  func rewind() throws(TraceError) {
    guard lseek(descriptor, 0, SEEK_SET) == 0 else {
      throw Self.systemError(name, "cannot be read")
    }
    position = 0
    filled = 0
    frameIsOpen = false
    if let decoder = unsafe decoder { _ = unsafe ZSTD_DCtx_reset(decoder, ZSTD_reset_session_only) }
  }

  /// Fills `buffer` from `offset` on; returns the number of bytes, 0 at the end.
  func read(into buffer: inout [UInt8], at offset: Int) throws(TraceError) -> Int {
    guard unsafe decoder != nil else { return try readRaw(into: &buffer, at: offset) }
    while true {
      if position == filled {
        filled = try readRaw(into: &compressed, at: 0)
        position = 0
        if filled == 0 {
          guard !frameIsOpen else {
            throw TraceError(
              file: name, what: "the zstd stream ends in the middle of a frame",
              hint: "the file was cut off: copy it again")
          }
          return 0
        }
      }
      let produced = try decompress(into: &buffer, at: offset)
      if produced > 0 { return produced }
    }
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

  private func readRaw(into buffer: inout [UInt8], at offset: Int) throws(TraceError) -> Int {
    while true {
      let count = unsafe buffer.withUnsafeMutableBytes { bytes in
        unsafe Glibc.read(descriptor, bytes.baseAddress! + offset, bytes.count - offset)
      }
      if count >= 0 {
        bytesRead += UInt64(count)
        progress?(bytesRead, 2 * size)
        return count
      }
      if errno != EINTR { throw Self.systemError(name, "cannot be read") }
    }
  }

  /// Copies what cannot be rewound to a temporary file that has no name any more.
  private static func spool(_ source: CInt, name: String) throws(TraceError) -> CInt {
    let folder = unsafe getenv("TMPDIR").map { unsafe String(cString: $0) } ?? "/tmp"
    var template = Array("\(folder)/tracetool.XXXXXX".utf8CString)
    let spool = unsafe template.withUnsafeMutableBufferPointer { unsafe mkstemp($0.baseAddress!) }
    guard spool >= 0 else { throw systemError(folder, "no temporary file can be made in it") }
    _ = unsafe template.withUnsafeBufferPointer { unsafe unlink($0.baseAddress!) }
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
      var done = 0
      while done < count {
        let written = unsafe buffer.withUnsafeBytes {
          unsafe write(spool, $0.baseAddress! + done, count - done)
        }
        guard written > 0 else {
          let error = systemError(folder, "the temporary copy of the input cannot be written")
          close(spool)
          throw error
        }
        done += written
      }
    }
    lseek(spool, 0, SEEK_SET)
    return spool
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
    var bytes: [UInt8] = []
    var buffer = [UInt8](repeating: 0, count: 1 << 16)
    while let count = try? source.read(into: &buffer, at: 0), count > 0 {
      bytes.append(contentsOf: buffer[..<count])
      guard bytes.count <= limit else { return nil }
    }
    return bytes
  }
}
