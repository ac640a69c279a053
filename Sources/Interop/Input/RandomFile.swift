import Glibc
import TraceFormat

/// A file, or a part of one, that is read at any place and never beyond its end.
@safe struct RandomFile: Sendable {
  /// Closes the file when nobody reads it any more.
  private final class Handle: Sendable {
    let descriptor: CInt
    init(_ descriptor: CInt) { self.descriptor = descriptor }
    deinit { close(descriptor) }
  }

  /// The name a person gave it.
  let name: String
  /// Bytes in it.
  let size: UInt64
  private let handle: Handle
  private let base: UInt64

  /// Takes over `descriptor`, which stands for a regular file.
  init(taking descriptor: CInt, name: String) throws(TraceError) {
    handle = Handle(descriptor)
    var status = stat()
    guard unsafe fstat(descriptor, &status) == 0, status.st_size >= 0 else {
      throw TraceError(file: name, what: "cannot be examined")
    }
    self.name = name
    size = UInt64(status.st_size)
    base = 0
  }

  private init(_ whole: RandomFile, from start: UInt64, size: UInt64, name: String) {
    handle = whole.handle
    base = whole.base + start
    self.size = size
    self.name = name
  }

  /// The `size` bytes from `start` on, as a file of their own; they have to be there.
  func part(from start: UInt64, size: UInt64, name: String) -> RandomFile {
    precondition(start <= self.size && size <= self.size - start)
    return RandomFile(self, from: start, size: size, name: name)
  }

  /// The `count` bytes at `offset`; throws where the file does not have all of them.
  func read(at offset: UInt64, count: Int) throws(TraceError) -> [UInt8] {
    guard count >= 0, offset <= size, UInt64(count) <= size - offset else {
      throw TraceError(
        file: name, what: "is cut off: \(count) bytes are missing at offset \(offset)",
        hint: "copy it again, or record again")
    }
    var bytes = [UInt8](repeating: 0, count: count)
    var done = 0
    while done < count {
      let got = try read(at: offset + UInt64(done), into: &bytes, from: done)
      guard got > 0 else {
        throw TraceError(file: name, what: "cannot be read at offset \(offset)")
      }
      done += got
    }
    return bytes
  }

  /// Fills `buffer` from `place` on with what is at `offset`; returns the number of bytes, 0 at
  /// the end.
  func read(
    at offset: UInt64, into buffer: inout [UInt8], from place: Int
  ) throws(TraceError) -> Int {
    guard offset < size else { return 0 }
    let count = min(buffer.count - place, Int(clamping: size - offset))
    while true {
      let got = unsafe buffer.withUnsafeMutableBytes { bytes in
        unsafe pread(
          handle.descriptor, bytes.baseAddress! + place, count, off_t(base) + off_t(offset))
      }
      if got >= 0 { return got }
      if errno != EINTR {
        let reason = unsafe String(cString: strerror(errno))
        throw TraceError(file: name, what: "cannot be read: \(reason)")
      }
    }
  }
}
