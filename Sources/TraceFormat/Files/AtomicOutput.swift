import Glibc

/// A file that appears under its name only when it is whole.
///
/// Bytes go to a new file beside the target, named after it, this process and a number, with
/// `.partial` at the end; ``commit()`` renames it over the target. Whatever goes wrong before
/// leaves the target as it was and removes the new file, as does giving up the last reference.
///
/// `-` is standard output, and a target that is no regular file (a device, a named pipe) is
/// written straight into: there is nothing to rename. For those, broken pipes are reported as an
/// error, for which SIGPIPE is ignored in the whole process; for all others, the same goes for
/// files that may not become that large, and SIGXFSZ.
public final class AtomicOutput {
  /// The target, as it was given.
  public let path: String
  /// Bytes taken so far.
  public private(set) var length: UInt64 = 0

  /// Beginning of ``TraceError/what`` where the reader of a pipe has gone.
  public static let brokenPipe = "nobody reads the pipe any more"

  private enum State {
    case open(FileDescriptor)
    case closed
  }

  private static let bufferBytes = 1 << 16

  private var state = State.closed
  private var buffer: [UInt8] = []
  /// The file that is renamed in the end, and the name it gets; nil where there is none.
  private var partial: (path: String, target: String)?

  /// Opens an output.
  ///
  /// Throws ``TraceError`` where the target is a directory or its folder cannot be written to.
  public init(path: String) throws {
    self.path = path
    if path == "-" {
      FileDescriptor.ignoreBrokenPipes()
      state = .open(.standardOutput)
      return
    }
    guard !path.isEmpty, !path.utf8.contains(0) else {
      throw TraceError(file: path, what: "is no file name")
    }
    do {
      try open()
    } catch {
      throw Self.explain(error, path)
    }
  }

  deinit { abandon() }

  /// Appends bytes.
  ///
  /// Throws ``TraceError``; the output is then abandoned.
  public func write(_ bytes: [UInt8]) throws {
    length += UInt64(bytes.count)
    buffer.append(contentsOf: bytes)
    if buffer.count >= Self.bufferBytes { try flush() }
  }

  /// Hands everything to the system: a reader of the file sees it.
  public func flush() throws {
    guard case .open(let file) = state else { preconditionFailure("output is closed") }
    do {
      try file.write(buffer)
    } catch {
      abandon()
      throw Self.explain(error, path)
    }
    buffer.removeAll(keepingCapacity: true)
  }

  /// Completes the file and gives it its name.
  public func commit() throws {
    try flush()
    guard case .open(let file) = state else { return }
    do {
      state = .closed
      if path != "-" { try file.close() }
      if let partial { try UnfinishedFiles.complete(partial.path, as: partial.target) }
      partial = nil
    } catch {
      abandon()
      throw Self.explain(error, path)
    }
  }

  /// Gives up: removes what was written beside the target.
  public func abandon() {
    if case .open(let file) = state, path != "-" { try? file.close() }
    state = .closed
    buffer = []
    if let partial { UnfinishedFiles.remove(partial.path) }
    partial = nil
  }

  private func open() throws(FileDescriptor.Failure) {
    FileDescriptor.ignoreSizeLimit()
    let existing = try FileDescriptor.status(of: path)
    if existing?.kind == .directory { throw FileDescriptor.Failure(number: EISDIR) }
    if existing?.kind == .other {
      FileDescriptor.ignoreBrokenPipes()
      state = .open(try FileDescriptor(writing: path))
      return
    }
    // A link keeps its place; the file it leads to is replaced.
    let target = existing == nil ? path : FileDescriptor.realPath(path) ?? path
    var attempt = 0
    while true {
      let name = "\(target).\(FileDescriptor.processID)-\(attempt).partial"
      do {
        let file = try UnfinishedFiles.create(name)
        state = .open(file)
        partial = (name, target)
        if let existing { try? file.setMode(existing.mode) }
        return
      } catch {
        guard error.number == EEXIST, attempt < 1000 else { throw error }
        attempt += 1
      }
    }
  }

  private static func explain(_ error: any Error, _ path: String) -> any Error {
    guard let failure = error as? FileDescriptor.Failure else { return error }
    // Nobody who leaves the output to the tool typed a `-`: call it by its name.
    let path = path == "-" ? "stdout" : path
    switch failure.number {
    case EPIPE: return TraceError(file: path, what: brokenPipe)
    case ENOSPC, EDQUOT:
      return TraceError(
        file: path, what: "cannot write: \(failure.reason)",
        hint: "free some space or write elsewhere")
    case EFBIG:
      return TraceError(
        file: path, what: "cannot write: \(failure.reason)",
        hint: "raise the limit (ulimit -f) or write elsewhere")
    case EISDIR:
      return TraceError(file: path, what: "is a directory", hint: "name a file inside it")
    case ENOENT:
      return TraceError(
        file: path, what: "cannot write: its folder does not exist", hint: "make the folder first")
    default: return TraceError(file: path, what: "cannot write: \(failure.reason)")
    }
  }
}
