import Glibc

@testable import TraceFormat

/// Files of the repository that tests read.
enum TestFiles {
  /// The repository, found from this file's own place.
  static let repository: String = {
    var parts = #filePath.split(separator: "/", omittingEmptySubsequences: false)
    parts.removeLast(4)
    return parts.joined(separator: "/")
  }()

  /// Bytes of a file.
  static func bytes(of path: String) throws -> [UInt8] {
    let input = try TraceInput(path: "\(repository)/\(path)")
    var bytes: [UInt8] = []
    _ = try input.read(Int(input.size!), at: 0, appendingTo: &bytes)
    return bytes
  }

  /// Bytes of every file of a folder, in the order of their names.
  static func contents(of folder: String) throws -> [[UInt8]] {
    try names(in: folder).map { try bytes(of: "\(folder)/\($0)") }
  }

  /// Names of the files of a folder, sorted, without those that begin with a dot.
  static func names(in folder: String) throws -> [String] {
    guard let stream = unsafe opendir("\(repository)/\(folder)") else {
      throw TraceError(file: folder, what: "is no folder of the repository")
    }
    defer { unsafe closedir(stream) }
    var names: [String] = []
    while let entry = unsafe readdir(stream) {
      let name = unsafe withUnsafeBytes(of: &entry.pointee.d_name) { bytes in
        unsafe String(decoding: bytes.prefix { $0 != 0 }, as: UTF8.self)
      }
      if !name.hasPrefix(".") { names.append(name) }
    }
    return names.sorted()
  }
}
