import TraceFormat

/// The files a recording script's `survey` collected from a machine: its tar (plain or compressed,
/// or through a pipe), or the folder somebody unpacked it into.
public struct SurveyFiles: Sendable {
  /// Names of the files that are of use, without a folder.
  public static let names = [
    "kallsyms", "available_filter_functions", "config", "btf", "release", "machine",
  ]

  /// A kernel's list of symbols has some 10 MB, its BTF some 5.
  public static let largest = 64 << 20

  private let found: [String: (path: String, bytes: [UInt8])]

  /// Reads what there is of ``names``; throws if that is nothing.
  public init(path: String, isFolder: Bool) throws {
    let found = isFolder ? Self.folder(path) : try Self.tar(path)
    guard !found.isEmpty else {
      throw TraceError(
        file: path, what: "holds none of a survey's files",
        hint: "expected are \(Self.names.joined(separator: ", ")), as 'sh pt.sh survey OUT.tar' "
          + "collects them")
    }
    self.found = found
  }

  /// The file `name` with what to call it in errors; nil if the machine has none.
  public subscript(_ name: String) -> (path: String, bytes: [UInt8])? { found[name] }

  private static func folder(_ path: String) -> [String: (path: String, bytes: [UInt8])] {
    var found: [String: (path: String, bytes: [UInt8])] = [:]
    for name in names {
      let file = "\(path)/\(name)"
      if let bytes = try? WholeFile.read(file, atMost: largest) { found[name] = (file, bytes) }
    }
    return found
  }

  private static func tar(_ path: String) throws -> [String: (path: String, bytes: [UInt8])] {
    let file = try ByteSource(path: path).randomFile()
    guard file.size >= 512, TarArchive.recognises(try file.read(at: 0, count: 512)) else {
      throw TraceError(
        file: path, what: "is neither a folder nor a tar",
        hint: "name what 'sh pt.sh survey OUT.tar' wrote")
    }
    let archive = try TarArchive(file)
    var found: [String: (path: String, bytes: [UInt8])] = [:]
    for member in archive.members where names.contains(member.base) {
      guard found[member.base] == nil else {
        throw TraceError(
          file: path, what: "holds two files called \(member.base): it is no survey of one machine",
          hint: "unpack it and name the folder of one")
      }
      let part = archive.open(member)
      guard let bytes = try ByteSource(part).small(limit: largest) else {
        throw TraceError(
          file: part.name, what: "is larger than \(largest >> 20) MiB, or cannot be read")
      }
      found[member.base] = (part.name, bytes)
    }
    return found
  }
}
