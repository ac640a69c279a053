import CZstd

/// zstd with contexts that are reused from one column to the next.
///
/// One of the files that may use unsafe constructs: it hands buffers to libzstd.
@safe final class ZstdCodec {
  private var compressor: OpaquePointer?
  private var decompressor: OpaquePointer?

  /// Makes a codec; contexts are created at first use.
  init() {}

  deinit {
    unsafe ZSTD_freeCCtx(compressor)
    unsafe ZSTD_freeDCtx(decompressor)
  }

  /// Levels that can be asked for.
  static var levels: ClosedRange<Int> { 1...Int(ZSTD_maxCLevel()) }

  /// Compresses `input` into the front of `output` as one frame and returns the frame's length;
  /// nil where libzstd gives up.
  func compress(_ input: [UInt8], level: Int, into output: inout [UInt8]) -> Int? {
    if unsafe compressor == nil { unsafe compressor = ZSTD_createCCtx() }
    guard let context = unsafe compressor else { return nil }
    let bound = ZSTD_compressBound(input.count)
    if output.count < bound { output = [UInt8](repeating: 0, count: bound) }
    let length = unsafe output.withUnsafeMutableBytes { destination in
      unsafe input.withUnsafeBytes { source in
        unsafe ZSTD_compressCCtx(
          context, destination.baseAddress, destination.count, source.baseAddress, source.count,
          Int32(level))
      }
    }
    return ZSTD_isError(length) == 0 ? length : nil
  }

  /// Decompresses `input[range]` into exactly `length` bytes; false where that is not what it is.
  ///
  /// The caller has checked `length` against its limit: it is what gets allocated.
  func decompress(
    _ input: [UInt8], _ range: Range<Int>, length: Int, into output: inout [UInt8]
  ) -> Bool {
    if unsafe decompressor == nil { unsafe decompressor = ZSTD_createDCtx() }
    guard let context = unsafe decompressor else { return false }
    output.resize(to: length)
    let produced = unsafe output.withUnsafeMutableBytes { destination in
      unsafe input.withUnsafeBytes { source in
        let part = unsafe UnsafeRawBufferPointer(rebasing: source[range])
        return unsafe ZSTD_decompressDCtx(
          context, destination.baseAddress, destination.count, part.baseAddress, part.count)
      }
    }
    return ZSTD_isError(produced) == 0 && produced == length
  }
}

extension [UInt8] {
  /// Changes the length, keeping the room; new bytes are zero.
  mutating func resize(to length: Int) {
    if length < count {
      removeLast(count - length)
    } else if length > count {
      append(contentsOf: repeatElement(0, count: length - count))
    }
  }
}
