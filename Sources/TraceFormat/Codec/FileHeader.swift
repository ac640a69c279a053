/// The start of a file: magic, version, the header as it was known when recording began.
enum FileHeader {
  /// The start in bytes.
  static func bytes(_ header: TraceHeader) throws(FormatProblem) -> [UInt8] {
    let json = try HeaderJSON.encode(header)
    var bytes = FormatConstants.magic
    bytes.appendLittleEndian(FormatConstants.major)
    bytes.appendLittleEndian(FormatConstants.minor)
    bytes.appendLittleEndian(UInt32(json.count))
    bytes.append(contentsOf: json)
    bytes.appendLittleEndian(CRC32C.checksum(bytes))
    return bytes
  }

  /// Reads the start of `input` and returns the header and where the first section begins.
  static func read(_ input: TraceInput) throws -> (TraceHeader, end: UInt64) {
    let fixed = FormatConstants.fileHeaderBytes
    var bytes: [UInt8] = []
    let got = try input.read(fixed, at: 0, appendingTo: &bytes)
    func error(_ what: String, _ hint: String = "") -> TraceError {
      TraceError(file: input.name, what: what, hint: hint)
    }
    guard got > 0 else { throw error("is empty", "a trace has a header at least") }
    let magic = FormatConstants.magic
    guard bytes.starts(with: magic.prefix(got)) else {
      throw error("is not a trace", hint(bytes))
    }
    let cut = "was the file copied completely?"
    guard got == fixed else { throw error("ends inside its header, at byte \(got)", cut) }
    let major = bytes.littleEndian(UInt16.self, at: 8)
    let minor = bytes.littleEndian(UInt16.self, at: 10)
    guard major == FormatConstants.major, major > 0 || minor == FormatConstants.minor else {
      let own = "\(FormatConstants.major).\(FormatConstants.minor)"
      throw error(
        "has format version \(major).\(minor), and this program reads \(own)",
        "use the tracetool that wrote it")
    }
    let length = Int(bytes.littleEndian(UInt32.self, at: 12))
    guard length <= FormatLimits.headerBytes else {
      throw error("claims a header of \(length) bytes, at byte 12", "the file is damaged")
    }
    let rest = try input.read(length + 4, at: UInt64(fixed), appendingTo: &bytes)
    guard rest == length + 4 else {
      throw error("ends inside its header, at byte \(fixed + rest)", cut)
    }
    let end = fixed + length
    guard CRC32C.checksum(bytes, 0..<end) == bytes.littleEndian(UInt32.self, at: end) else {
      throw error("has a damaged header: its checksum at byte \(end) does not match")
    }
    do {
      return (try HeaderJSON.decode(bytes[fixed..<end]), UInt64(end + 4))
    } catch {
      throw TraceError(file: input.name, what: "\(error.what), at byte \(fixed)")
    }
  }

  /// What a file that is no trace may be.
  private static func hint(_ bytes: [UInt8]) -> String {
    if bytes.starts(with: [0x28, 0xb5, 0x2f, 0xfd]) {
      return "it is compressed with zstd; `tracetool import` reads ftrace text like that"
    }
    if bytes.starts(with: [0x1f, 0x8b]) {
      return "it is compressed with gzip; decompress it first"
    }
    if bytes.allSatisfy({ $0 >= 0x20 && $0 < 0x7f || $0 == 0x0a || $0 == 0x09 || $0 == 0x0d }) {
      return "it looks like text; `tracetool import` reads ftrace text"
    }
    return "a trace begins with the bytes 89 50 54 54"
  }
}
