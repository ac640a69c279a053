import TraceFormat

/// The files a recording script's `survey` collected from a machine: its tar (plain or compressed,
/// or through a pipe), or the folder somebody unpacked it into.
public struct SurveyFiles: Sendable {
  /// The files that are of use, by their names without a folder.
  public enum Name: String, Sendable, CaseIterable {
    /// `/proc/kallsyms`.
    case kallsyms
    /// What ftrace can attach to.
    case functions = "available_filter_functions"
    /// The kernel's configuration.
    case config
    /// `/sys/kernel/btf/vmlinux`.
    case btf
    /// `uname -r`.
    case release
    /// `uname -m`.
    case machine
  }

  /// A kernel's list of symbols has some 10 MB, its BTF some 5.
  public static let largest = 64 << 20

  private let found: [Name: (path: String, bytes: [UInt8])]

  /// Reads what there is of ``Name``; throws if that is nothing.
  public init(path: String, isFolder: Bool) throws {
    let found = isFolder ? Self.folder(path) : try Self.tar(path)
    guard !found.isEmpty else {
      throw TraceError(
        file: path, what: "holds none of a survey's files",
        hint:
          "expected are \(Name.allCases.map(\.rawValue).joined(separator: ", ")), as 'sh pt.sh survey OUT.tar' "
          + "collects them")
    }
    self.found = found
  }

  /// The file with what to call it in errors; nil if the machine has none.
  public subscript(_ name: Name) -> (path: String, bytes: [UInt8])? { found[name] }

  private static func folder(_ path: String) -> [Name: (path: String, bytes: [UInt8])] {
    var found: [Name: (path: String, bytes: [UInt8])] = [:]
    for name in Name.allCases {
      let file = "\(path)/\(name.rawValue)"
      if let bytes = try? WholeFile.read(file, atMost: largest) { found[name] = (file, bytes) }
    }
    return found
  }

  private static func tar(_ path: String) throws -> [Name: (path: String, bytes: [UInt8])] {
    let file = try ByteSource(path: path).randomFile()
    guard file.size >= 512, TarArchive.recognises(try file.read(at: 0, count: 512)) else {
      throw TraceError(
        file: path, what: "is neither a folder nor a tar",
        hint: "name what 'sh pt.sh survey OUT.tar' wrote")
    }
    let archive = try TarArchive(file)
    var found: [Name: (path: String, bytes: [UInt8])] = [:]
    for member in archive.members {
      guard let name = Name(rawValue: member.base) else { continue }
      guard found[name] == nil else {
        throw TraceError(
          file: path, what: "holds two files called \(member.base): it is no survey of one machine",
          hint: "unpack it and name the folder of one")
      }
      let part = archive.open(member)
      guard let bytes = try ByteSource(part).small(limit: largest) else {
        throw TraceError(
          file: part.name, what: "is larger than \(largest >> 20) MiB, or cannot be read")
      }
      found[name] = (part.name, bytes)
    }
    return found
  }
}
