import Glibc

@testable import TraceFormat

/// Writing and reading whole traces in tests.
enum TraceFiles {
  static var header: TraceHeader {
    var header = TraceHeader(
      source: "test", producer: "tests 1", cpus: 4, clock: .nanoseconds("mono"))
    header.options = ["b": "2", "a": "1"]
    return header
  }

  /// The bytes of a complete trace of `events`.
  static func bytes(
    _ events: [Event], options: TraceWriter.Options = .init(),
    texts: (TraceWriter, Int) throws -> Void = { _, _ in }
  ) throws -> [UInt8] {
    let output = MemoryOutput()
    let writer = try TraceWriter(output: output, header: header, options: options)
    for (ordinal, event) in events.enumerated() {
      try texts(writer, ordinal)
      try writer.append(event)
    }
    try writer.finish()
    return output.bytes
  }

  /// What reading gave: the events before the end or the error.
  struct Outcome {
    var events: [Event] = []
    var error: TraceError?
    var isComplete = false
  }

  /// Reads everything there is.
  static func read(_ bytes: [UInt8]) -> Outcome {
    var outcome = Outcome()
    do {
      let reader = try TraceReader(bytes: bytes)
      var batch = EventBatch()
      defer { outcome.isComplete = reader.isComplete }
      while try reader.next(into: &batch) {
        precondition(batch.firstOrdinal == UInt64(outcome.events.count), "ordinals")
        outcome.events += batch.events
      }
    } catch {
      outcome.error = (error as! TraceError)
    }
    return outcome
  }

  /// `events` with the generations every reader must give.
  static func numbered(_ events: [Event]) -> [Event] {
    var generations: [String: UInt32] = [:]
    var sections: UInt32 = 0
    return events.map { event in
      var event = event
      let fields = event.kind.fields
      if event.kind == .readerEnter { sections += 1 }
      if fields.space == .reader {
        let key = "section \(event.object)"
        if event.kind == .readerEnter { generations[key] = sections }
        event.generation = generations[key, default: 0]
        if event.kind == .readerExit { generations[key] = nil }
        return event
      }
      let key = "\(fields.space.rawValue) \(event.object)"
      if fields.startsGeneration { generations[key, default: 0] += 1 }
      event.generation =
        fields.space == .none || fields.space == .gracePeriod ? 0 : generations[key, default: 0]
      return event
    }
  }
}

/// A folder that is removed with its contents when the test lets go of it.
final class TemporaryFolder {
  let path: String

  init() {
    var template = Array("/tmp/tracetool-test-XXXXXX".utf8CString)
    let made = unsafe template.withUnsafeMutableBufferPointer { buffer in
      unsafe mkdtemp(buffer.baseAddress!) != nil
    }
    precondition(made, "no temporary folder")
    path = String(decoding: template.dropLast().map { UInt8(bitPattern: $0) }, as: UTF8.self)
  }

  deinit {
    for name in names { _ = unsafe unlink("\(path)/\(name)") }
    _ = unsafe rmdir(path)
  }

  /// Path of a file in the folder.
  func file(_ name: String) -> String { "\(path)/\(name)" }

  /// Names of the files in the folder, sorted.
  var names: [String] {
    guard let folder = unsafe opendir(path) else { return [] }
    defer { unsafe closedir(folder) }
    var names: [String] = []
    while let entry = unsafe readdir(folder) {
      let name = unsafe withUnsafeBytes(of: &entry.pointee.d_name) { bytes in
        unsafe String(decoding: bytes.prefix { $0 != 0 }, as: UTF8.self)
      }
      if name != "." && name != ".." { names.append(name) }
    }
    return names.sorted()
  }

  /// Makes a file.
  func write(_ bytes: [UInt8], to name: String) throws {
    let output = try AtomicOutput(path: file(name))
    try output.write(bytes)
    try output.commit()
  }

  /// Makes a file of these bytes, or gives them to the one that is there: quicker than a new one.
  func replace(_ name: String, _ bytes: [UInt8]) {
    let descriptor = unsafe open(file(name), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0o600)
    precondition(descriptor >= 0, "no file")
    defer { close(descriptor) }
    let written = unsafe bytes.withUnsafeBytes {
      unsafe Glibc.write(descriptor, $0.baseAddress, $0.count)
    }
    precondition(written == bytes.count, "short write")
  }

  /// A pipe in the folder from which a reader gets `bytes`, which must fit into its buffer: so
  /// one thread can write and then read.
  func pipe(_ name: String, holding bytes: [UInt8]) throws -> TraceInput {
    precondition(bytes.count < 60_000, "more than a pipe holds")
    let path = file(name)
    precondition(unsafe mkfifo(path, 0o600) == 0, "no pipe")
    let end = unsafe open(path, O_RDWR)
    defer {
      close(end)
      _ = unsafe unlink(path)
    }
    let input = try TraceInput(path: path)
    let written = unsafe bytes.withUnsafeBytes {
      unsafe Glibc.write(end, $0.baseAddress, $0.count)
    }
    precondition(written == bytes.count, "short write")
    return input
  }

  /// Bytes of a file.
  func read(_ name: String) throws -> [UInt8] {
    let input = try TraceInput(path: file(name))
    var bytes: [UInt8] = []
    _ = try input.read(Int(input.size!), at: 0, appendingTo: &bytes)
    return bytes
  }
}
