import TraceFormat

@testable import Interop

/// The committed captures, and small traces written as text.
enum Samples {
  /// Folder of the captures, found from this file's own place.
  static let folder: String = {
    var parts = #filePath.split(separator: "/", omittingEmptySubsequences: false)
    parts.removeLast(3)
    return parts.joined(separator: "/") + "/sample-traces/captures"
  }()

  static func path(_ name: String) -> String { "\(folder)/\(name)/trace.txt.zst" }

  /// An imported trace.
  struct Imported {
    var trace: EventArray
    var report: ImportReport
    var header: TraceHeader { trace.header }

    func count(_ kind: EventKind) -> Int { trace.events.count { $0.kind == kind } }
    func names() -> [String] { trace.events.map(\.kind.name) }
  }

  static func importCapture(
    _ name: String, options: ImportOptions = ImportOptions()
  ) throws -> Imported {
    try importPath(path(name), options)
  }

  static func importPath(_ path: String, _ options: ImportOptions) throws -> Imported {
    var sink: EventArray?
    let result = try Importing.importTrace(path: path, options: options) { header in
      let array = EventArray(header: header)
      sink = array
      return array
    }
    sink!.header = result.header
    return Imported(trace: sink!, report: result.report)
  }

  /// Imports a trace given as text.
  static func importText(
    _ text: String, options: ImportOptions = ImportOptions()
  ) throws -> Imported {
    // A literal lacks the line feed that ends every line of a trace.
    let file = try TemporaryFile(Array(text.utf8) + (text.hasSuffix("\n") ? [] : [0x0A]))
    return try importPath(file.path, options)
  }

  /// The text of a capture.
  static func text(_ name: String) -> [UInt8] { ByteSource.small(path(name), limit: 64 << 20)! }
}
