import TraceFormat

/// Imports a tar of a capture's files, as the recording script collects them: the trace in it,
/// and the files beside it. Gives what the unpacked folder gives.
enum TarImporter: TraceImporter {
  static let format = "tar"

  static func recognises(_ head: [UInt8]) -> Bool { TarArchive.recognises(head) }

  static func run(
    _ source: ByteSource, options: ImportOptions,
    into makeSink: (TraceHeader) throws -> any EventSink
  ) throws -> ImportResult {
    guard options.beside == nil else {
      throw TraceError(
        file: source.name, what: "is a tar inside a tar", hint: "unpack the outer one first")
    }
    let archive = try TarArchive(try source.randomFile())
    let trace = try trace(in: archive)
    let inner = try ByteSource(archive.open(trace))
    var options = options
    options.beside = files(beside: trace, in: archive)
    return try Importing.importTrace(from: inner, options: options, into: makeSink)
  }

  /// The one trace in the archive.
  private static func trace(in archive: TarArchive) throws -> TarArchive.Member {
    for name in CaptureFiles.traceNames {
      let found = archive.members.filter { $0.base == name }
      guard let first = found.first else { continue }
      guard found.count == 1 else {
        throw TraceError(
          file: archive.file.name, what: "holds \(found.count) captures, such as \(first.name)",
          hint: "unpack it and import them one by one")
      }
      guard first.size > 0 else {
        throw TraceError(
          file: archive.file.name,
          what: "\(first.name) in it is empty: tar stores the files of tracefs without content",
          hint: "cat them into files first, and put those into the tar")
      }
      return first
    }
    throw TraceError(
      file: archive.file.name,
      what: "is a tar without a trace: none of its \(archive.members.count) files is called "
        + "\(CaptureFiles.traceNames.joined(separator: ", "))",
      hint: "put the trace into it, or name the trace itself")
  }

  private static func files(
    beside trace: TarArchive.Member, in archive: TarArchive
  ) -> @Sendable (String) -> [UInt8]? {
    var members: [String: TarArchive.Member] = [:]
    for member in archive.members where member.folder == trace.folder && member.size <= 64 << 20 {
      members[member.base] = member
    }
    let found = members
    return { name in
      guard let member = found[name] else { return nil }
      return (try? ByteSource(archive.open(member)))?.small(limit: 64 << 20)
    }
  }
}
