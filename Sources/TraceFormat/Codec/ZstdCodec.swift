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

  /// Compresses a column to the end of `output` as one frame and returns the frame's length; nil,
  /// and `output` as it was, where the frame would not be smaller than the column.
  func compress(_ input: ColumnBuffer, level: Int, into output: inout [UInt8]) -> Int? {
    if unsafe compressor == nil { unsafe compressor = ZSTD_createCCtx() }
    guard let context = unsafe compressor, input.count > 0 else { return nil }
    let start = output.count
    let bound = ZSTD_compressBound(input.count)
    output.append(contentsOf: repeatElement(0, count: bound))
    let length = unsafe output.withUnsafeMutableBytes { destination in
      unsafe input.lane.withBuffer(input.count) { source in
        unsafe ZSTD_compressCCtx(
          context, destination.baseAddress! + start, bound, source.baseAddress, source.count,
          Int32(level))
      }
    }
    let isSmaller = ZSTD_isError(length) == 0 && length < input.count
    output.removeLast(isSmaller ? bound - length : bound)
    return isSmaller ? length : nil
  }

  /// Decompresses `input` into exactly `length` bytes; false where that is not what it is.
  ///
  /// The caller has checked `length` against its limit: it is what gets allocated.
  func decompress(_ input: [UInt8], length: Int, into output: ColumnBuffer) -> Bool {
    if unsafe decompressor == nil { unsafe decompressor = ZSTD_createDCtx() }
    guard let context = unsafe decompressor else { return false }
    output.reserve(length)
    let produced = unsafe output.lane.withBuffer(length) { destination in
      unsafe input.withUnsafeBytes { source in
        unsafe ZSTD_decompressDCtx(
          context, destination.baseAddress, destination.count, source.baseAddress, source.count)
      }
    }
    guard ZSTD_isError(produced) == 0 && produced == length else { return false }
    output.count = length
    return true
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
