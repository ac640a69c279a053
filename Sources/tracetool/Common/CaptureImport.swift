import Interop
import TraceFormat

/// The import of one text capture into a trace file.
struct CaptureImport {
  /// The capture as the user named it.
  let name: String
  /// What the user said about it.
  var options = ImportOptions()
  private let text: String

  /// Names of the text in the directory of a capture, in order of preference.
  private static let textNames = ["trace.txt.zst", "trace.txt"]

  /// Finds the text of a capture: `path` itself, or in it if it is a directory.
  init(path: String) throws {
    name = path
    options.producer = toolProducer
    guard isDirectory(path) else {
      text = path
      return
    }
    let folder = path.hasSuffix("/") ? path : path + "/"
    guard let text = Self.textNames.map({ folder + $0 }).first(where: fileExists) else {
      throw TraceError(
        file: path,
        what: "is a directory, and holds no \(Self.textNames.joined(separator: " or "))",
        hint: "name a trace file, or the directory of a capture")
    }
    self.text = text
  }

  /// Writes the trace to `output`, a file or `-`. It appears only if all of `text` was read and
  /// `accept` does not throw.
  func write(
    to output: String, accept: (ImportReport) throws -> Void = { _ in }
  ) throws -> ImportResult {
    var writer: TraceWriter?
    defer { ProgressBar.clear() }
    do {
      let result = try Importing.importTrace(path: text, options: options) { header in
        let opened = try TraceWriter(path: output, header: header)
        writer = opened
        return opened
      }
      try accept(result.report)
      try writer?.finish(header: result.header)
      return result
    } catch {
      writer?.abandon()
      throw error
    }
  }
}
