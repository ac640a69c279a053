import CZlib
import CZstd

/// How a piece of a file is compressed.
enum Compression {
  case none, zlib, zstd

  /// The `count` bytes that `bytes` stand for; nil if they stand for anything else.
  ///
  /// The caller has bounded `count`.
  func expand(_ bytes: [UInt8], to count: Int) -> [UInt8]? {
    switch self {
    case .none: bytes.count == count ? bytes : nil
    case .zlib: Self.inflate(bytes, to: count)
    case .zstd: Self.decompress(bytes, to: count)
    }
  }

  private static func decompress(_ bytes: [UInt8], to count: Int) -> [UInt8]? {
    var result = [UInt8](repeating: 0, count: count)
    let done = unsafe result.withUnsafeMutableBytes { target in
      unsafe bytes.withUnsafeBytes { source in
        unsafe ZSTD_decompress(
          target.baseAddress, target.count, source.baseAddress, source.count)
      }
    }
    return ZSTD_isError(done) == 0 && done == count ? result : nil
  }

  private static func inflate(_ bytes: [UInt8], to count: Int) -> [UInt8]? {
    guard let stream = Inflater(), let size = UInt32(exactly: bytes.count), count > 0 else {
      return nil
    }
    var result = [UInt8](repeating: 0, count: count)
    let step = stream.step(bytes, from: 0, count: Int(size), into: &result, at: 0)
    return step.isEnd && step.produced == count ? result : nil
  }
}

/// A zlib or gzip stream being decompressed.
@safe final class Inflater {
  /// What one step did.
  struct Step {
    var consumed = 0
    var produced = 0
    /// The stream ended.
    var isEnd = false
    var isBad = false
  }

  private let stream: UnsafeMutablePointer<z_stream>

  /// A stream at its start; nil if there is no memory for it.
  init?() {
    unsafe stream = .allocate(capacity: 1)
    unsafe stream.initialize(to: z_stream())
    guard unsafe tracetool_inflate_init(stream) == Z_OK else {
      unsafe stream.deallocate()
      return nil
    }
  }

  deinit {
    unsafe inflateEnd(stream)
    unsafe stream.deallocate()
  }

  /// Goes back to the start of a stream.
  func reset() { unsafe inflateReset(stream) }

  /// Decompresses from `source[from..<count]` into `target` from `at` on.
  func step(
    _ source: [UInt8], from: Int, count: Int, into target: inout [UInt8], at place: Int
  ) -> Step {
    var step = Step()
    let room = UInt32(clamping: target.count - place)
    let available = UInt32(clamping: count - from)
    unsafe target.withUnsafeMutableBytes { output in
      unsafe source.withUnsafeBytes { input in
        // zlib takes its input through a pointer to what it will not change.
        unsafe stream.pointee.next_in = UnsafeMutablePointer(
          mutating: input.baseAddress?.advanced(by: from).assumingMemoryBound(to: UInt8.self))
        unsafe stream.pointee.avail_in = available
        unsafe stream.pointee.next_out = output.baseAddress?.advanced(by: place)
          .assumingMemoryBound(to: UInt8.self)
        unsafe stream.pointee.avail_out = room
        let result = unsafe inflate(stream, Z_NO_FLUSH)
        step.isEnd = result == Z_STREAM_END
        step.isBad = result != Z_OK && result != Z_STREAM_END && result != Z_BUF_ERROR
        unsafe step.consumed = Int(available - stream.pointee.avail_in)
        unsafe step.produced = Int(room - stream.pointee.avail_out)
        unsafe stream.pointee.next_in = nil
        unsafe stream.pointee.next_out = nil
      }
    }
    return step
  }
}
