import TraceFormat

/// Reads numbers, strings and blocks one after the other, from a file or from bytes in memory.
///
/// Every length is checked against what is there before anything is allocated.
struct BinaryCursor {
  private enum Storage {
    case file(RandomFile)
    case memory([UInt8], name: String)
  }

  private let storage: Storage
  /// What is being read, for messages.
  private let what: String
  private let isBigEndian: Bool
  /// First byte that is not part of it.
  let end: UInt64
  /// Place of the next byte.
  private(set) var at: UInt64

  /// A part of a file.
  init(
    _ file: RandomFile, from start: UInt64 = 0, to end: UInt64? = nil, isBigEndian: Bool,
    what: String
  ) {
    storage = .file(file)
    self.end = min(end ?? file.size, file.size)
    at = start
    self.isBigEndian = isBigEndian
    self.what = what
  }

  /// Bytes in memory, which belong to the file `name`.
  init(_ bytes: [UInt8], of name: String, isBigEndian: Bool, what: String) {
    storage = .memory(bytes, name: name)
    end = UInt64(bytes.count)
    at = 0
    self.isBigEndian = isBigEndian
    self.what = what
  }

  /// Bytes that are left.
  var left: UInt64 { at < end ? end - at : 0 }

  mutating func skip(_ count: UInt64) throws(TraceError) {
    guard count <= left else { throw cutOff(count) }
    at += count
  }

  /// The next `count` bytes.
  mutating func bytes(_ count: UInt64) throws(TraceError) -> [UInt8] {
    guard count <= left, let size = Int(exactly: count) else { throw cutOff(count) }
    defer { at += count }
    switch storage {
    case .file(let file): return try file.read(at: at, count: size)
    case .memory(let all, _): return Array(all[Int(at)..<Int(at) + size])
    }
  }

  /// The bytes up to the next NUL, which is passed over; at most `limit` of them.
  mutating func text(limit: Int = 4096) throws(TraceError) -> String {
    let start = at
    let some = try bytes(min(left, UInt64(limit) + 1))
    guard let zero = some.firstIndex(of: 0) else {
      at = start
      throw error("a text does not end")
    }
    at = start + UInt64(zero) + 1
    return String(decoding: some[..<zero], as: UTF8.self)
  }

  mutating func u8() throws(TraceError) -> UInt8 { try bytes(1)[0] }
  mutating func u16() throws(TraceError) -> UInt16 { UInt16(try number(2)) }
  mutating func u32() throws(TraceError) -> UInt32 { UInt32(try number(4)) }
  mutating func u64() throws(TraceError) -> UInt64 { try number(8) }

  private mutating func number(_ size: UInt64) throws(TraceError) -> UInt64 {
    let some = try bytes(size)
    return BinaryNumber.read(some.span, 0, some.count, isBigEndian: isBigEndian)
  }

  /// The error that names this place.
  func error(_ problem: String) -> TraceError {
    let name =
      switch storage {
      case .file(let file): file.name
      case .memory(_, let name): name
      }
    let place =
      switch storage {
      case .file: "at offset \(at)"
      case .memory: "at byte \(at) of its \(end)"
      }
    return TraceError(
      file: name, what: "\(what), \(place): \(problem)",
      hint: "the file is damaged: copy it again, or record again")
  }

  private func cutOff(_ count: UInt64) -> TraceError {
    error("\(count) bytes are announced and \(left) are there")
  }
}

/// Numbers in memory, in either byte order.
enum BinaryNumber {
  /// The number in `size` (1 to 8) bytes at `at`, which the caller has checked.
  static func read(
    _ bytes: Span<UInt8>, _ at: Int, _ size: Int, isBigEndian: Bool
  ) -> UInt64 {
    var value: UInt64 = 0
    if isBigEndian {
      for place in 0..<size { value = value << 8 | UInt64(bytes[at + place]) }
    } else {
      var place = size
      while place > 0 {
        place -= 1
        value = value << 8 | UInt64(bytes[at + place])
      }
    }
    return value
  }

  /// `value`, which has `size` bytes, with its sign carried on to 64 bits.
  static func extendSign(_ value: UInt64, _ size: Int) -> UInt64 {
    guard size < 8 else { return value }
    let shift = UInt64(64 - 8 * size)
    return UInt64(bitPattern: Int64(bitPattern: value << shift) >> Int64(shift))
  }
}
