import Glibc
import Replay
import TraceFormat

@testable import Interop

/// What an import owes any bytes whatever: an error of one line, or events, the same ones each time,
/// which a judge can look at.
///
/// What it does not verify: that the events are what the text says; the tests of this module do.
enum ImportProperty {
  /// A text broke it.
  struct Violation: Error {
    let what: String
  }

  /// Imports the bytes twice, then as a stream, and judges what came out.
  static func check(_ bytes: [UInt8]) throws {
    guard let file = NamelessFile(bytes) else { return }
    let first = try run(file.path)
    let second = try run(file.path)
    guard first.error == second.error, first.events == second.events else {
      throw Violation(what: "a second import gives something else")
    }
    try judge(first)
    guard let pipe = FilledPipe(bytes) else { return }
    try judge(run(pipe.path, follow: true))
  }

  private static func judge(_ outcome: Outcome) throws {
    guard outcome.error == nil, let header = outcome.header else { return }
    let trace = EventArray(header: header)
    for event in outcome.events { trace.append(event) }
    let checker = try Checker()
    _ = try checker.check(trace)
  }

  private struct Outcome {
    var events: [Event] = []
    var header: TraceHeader?
    var error: TraceError?
  }

  private static func run(_ path: String, follow: Bool = false) throws -> Outcome {
    var options = ImportOptions()
    options.follow = follow
    options.sideFiles = false
    var outcome = Outcome()
    var sink: EventArray?
    do {
      let result = try Importing.importTrace(path: path, options: options) { header in
        let array = EventArray(header: header)
        sink = array
        return array
      }
      outcome.header = result.header
    } catch let error as TraceError {
      guard !error.what.isEmpty, !error.what.contains("\n") else {
        throw Violation(what: "the error is no line: \(error.what)")
      }
      outcome.error = error
    }
    outcome.events = sink?.events ?? []
    return outcome
  }
}

/// A file without a name that goes away with its owner.
private final class NamelessFile {
  private let descriptor: Int32

  /// A name it can be opened by.
  var path: String { "/proc/self/fd/\(descriptor)" }

  init?(_ bytes: [UInt8]) {
    var template = Array("/tmp/interop-test.XXXXXX".utf8CString)
    descriptor = unsafe template.withUnsafeMutableBufferPointer { unsafe mkstemp($0.baseAddress!) }
    guard descriptor >= 0 else { return nil }
    _ = unsafe template.withUnsafeBufferPointer { unsafe unlink($0.baseAddress!) }
    let written = unsafe bytes.withUnsafeBytes {
      unsafe pwrite(descriptor, $0.baseAddress, $0.count, 0)
    }
    if written != bytes.count { return nil }
  }

  deinit { close(descriptor) }
}

/// A pipe that holds all its bytes and whose writer is gone.
private final class FilledPipe {
  private let end: Int32

  /// A name it can be opened by.
  var path: String { "/proc/self/fd/\(end)" }

  init?(_ bytes: [UInt8]) {
    // What a pipe takes without a reader.
    guard bytes.count <= 1 << 15 else { return nil }
    var ends: [Int32] = [-1, -1]
    guard unsafe pipe(&ends) == 0 else { return nil }
    end = ends[0]
    let written = unsafe bytes.withUnsafeBytes { unsafe write(ends[1], $0.baseAddress, $0.count) }
    close(ends[1])
    if written != bytes.count { return nil }
  }

  deinit { close(end) }
}
