import Glibc

/// A file that goes away with its owner, alone in a folder of its own.
final class TemporaryFile {
  let folder: String
  let path: String

  init(_ bytes: [UInt8], name: String = "trace.txt") throws {
    var template = Array("/tmp/interop-test.XXXXXX".utf8CString)
    let made = unsafe template.withUnsafeMutableBufferPointer { buffer in
      unsafe mkdtemp(buffer.baseAddress!).map { unsafe String(cString: $0) }
    }
    folder = made!
    path = folder + "/" + name
    add(bytes, name: name)
  }

  /// Writes a second file beside the first.
  func add(_ bytes: [UInt8], name: String) {
    let descriptor = unsafe open(folder + "/" + name, O_WRONLY | O_CREAT | O_TRUNC, 0o600)
    precondition(descriptor >= 0)
    let written = unsafe bytes.withUnsafeBytes {
      unsafe write(descriptor, $0.baseAddress, $0.count)
    }
    precondition(written == bytes.count)
    close(descriptor)
    added.append(name)
  }

  /// The names in a folder, sorted, without `.` and `..`.
  static func entries(of folder: String) -> [String] {
    guard let stream = unsafe opendir(folder) else { return [] }
    defer { unsafe closedir(stream) }
    var names: [String] = []
    while let entry = unsafe readdir(stream) {
      let name = unsafe withUnsafePointer(to: &entry.pointee.d_name) { pointer in
        unsafe String(cString: UnsafeRawPointer(pointer).assumingMemoryBound(to: CChar.self))
      }
      if !name.hasPrefix(".") { names.append(name) }
    }
    return names.sorted()
  }

  /// The bytes of the file at `path`, as they lie there.
  static func bytes(of path: String) throws -> [UInt8] {
    let descriptor = unsafe open(path, O_RDONLY)
    precondition(descriptor >= 0)
    defer { close(descriptor) }
    var bytes: [UInt8] = []
    var buffer = [UInt8](repeating: 0, count: 1 << 16)
    while true {
      let count = unsafe buffer.withUnsafeMutableBytes {
        unsafe read(descriptor, $0.baseAddress, $0.count)
      }
      guard count > 0 else { return bytes }
      bytes.append(contentsOf: buffer[..<count])
    }
  }

  private var added: [String] = []

  deinit {
    for name in added { unsafe unlink(folder + "/" + name) }
    unsafe rmdir(folder)
  }
}
