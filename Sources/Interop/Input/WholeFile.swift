import TraceFormat

/// Reads a file of bounded size as a whole; a compressed one is unpacked.
public enum WholeFile {
  /// The bytes of `path`, of which there may be at most `limit` once they are unpacked.
  public static func read(_ path: String, atMost limit: Int) throws -> [UInt8] {
    let source = try ByteSource(path: path)
    var bytes: [UInt8] = []
    var buffer = [UInt8](repeating: 0, count: 1 << 16)
    while true {
      let count = try source.read(into: &buffer, at: 0)
      if count == 0 { return bytes }
      bytes.append(contentsOf: buffer[..<count])
      guard bytes.count <= limit else {
        throw TraceError(
          file: path, what: "is larger than \(limit >> 20) MiB", hint: "name the right file")
      }
    }
  }
}
