import Interop
import TraceFormat

/// The import of one capture into a trace file.
struct CaptureImport {
  /// The capture as the user named it.
  let name: String
  /// What the user said about it.
  var options = ImportOptions()
  private let trace: String

  /// Finds the trace of a capture: `path` itself, or in it if it is a directory.
  init(path: String) throws {
    name = path
    options.producer = toolProducer
    guard isDirectory(path) else {
      trace = path
      return
    }
    let folder = path.hasSuffix("/") ? path : path + "/"
    guard let trace = CaptureFiles.traceNames.map({ folder + $0 }).first(where: fileExists) else {
      throw TraceError(
        file: path,
        what: "is a directory, and holds no trace.txt, trace.dat or a compressed one",
        hint: "name a trace file, or the directory of a capture")
    }
    self.trace = trace
  }

  /// Writes the trace to `output`, a file or `-`. It appears only if all of the trace was read and
  /// `accept` does not throw.
  func write(
    to output: String, options writing: TraceWriter.Options = .init(),
    accept: (ImportReport) throws -> Void = { _ in }
  ) throws -> ImportResult {
    var writer: TraceWriter?
    var options = options
    options.mayStartAgain = output != "-" && isRegularFileOrNone(output)
    defer { ProgressBar.clear() }
    do {
      let result = try Importing.importTrace(path: trace, options: options) { header in
        // A second one takes the place of the first.
        writer?.abandon()
        let opened = try TraceWriter(path: output, header: header, options: writing)
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
