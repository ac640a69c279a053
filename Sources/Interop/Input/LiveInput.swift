import Glibc
import TraceFormat

/// A pipe, or a file that grows, read while it is being written.
///
/// A pipe ends where its writer ends it; a file never ends by itself. Both end when
/// ``StreamStop`` is requested or the reader of the output has gone: what has arrived by then, up
/// to ``lastBytes``, is still read.
final class LiveInput {
  /// Bytes from the start that can be read again.
  static let headBytes = 1 << 20
  /// Bytes that are read after the stop.
  private static let lastBytes = 1 << 20
  /// How long events may be kept back.
  private static let patience = Duration.seconds(1)
  /// How often a file is looked at.
  private static let glance = Duration.milliseconds(200)

  private let name: String
  private let descriptor: Int32
  private let isFile: Bool
  /// Whose reader is watched.
  private let output: Int32?
  /// The start of the input, until more than it was read.
  private var start: [UInt8] = []
  /// Place in it of the next byte.
  private var place = 0
  private var keepsStart = true
  private var lastPause = ContinuousClock.now
  /// Something was read since the last pause.
  private var hasNews = false
  /// Bytes that may still be read once the input was told to end.
  private var left: Int?

  /// Opens `path`; `-` is standard input.
  init(path: String, output: Int32?) throws(TraceError) {
    name = path
    descriptor = unsafe path == "-" ? dup(0) : open(path, O_RDONLY | O_CLOEXEC)
    guard descriptor >= 0 else { throw Self.error(path, "cannot be opened") }
    var status = stat()
    guard unsafe fstat(descriptor, &status) == 0 else {
      close(descriptor)
      throw Self.error(path, "cannot be examined")
    }
    guard status.st_mode & S_IFMT != S_IFDIR else {
      close(descriptor)
      throw TraceError(
        file: path, what: "is a directory", hint: "name the trace in it, such as trace.txt")
    }
    // What a shell redirects into the tool is complete: it ends at its end.
    isFile = path != "-" && status.st_mode & S_IFMT == S_IFREG
    self.output = output
  }

  deinit { close(descriptor) }

  /// The first `count` bytes; fewer only where the input ends.
  func head(_ count: Int) throws(TraceError) -> [UInt8] {
    precondition(place == 0 && keepsStart)
    var buffer = [UInt8](repeating: 0, count: count)
    while start.count < count {
      let got = try receive(into: &buffer, from: 0, count - start.count)
      if got == 0 { break }
      start += buffer[..<got]
    }
    return Array(start.prefix(count))
  }

  /// Goes back to the first byte; an error once more than ``headBytes`` were read.
  func rewind() throws(TraceError) {
    guard keepsStart else {
      throw TraceError(
        file: name, what: "does not tell by its first bytes what it is",
        hint: "import it without --follow when it is complete")
    }
    place = 0
  }

  /// Waits until something can be read; false each time it is time to hand on what was read.
  func awaitBytes() -> Bool {
    while true {
      if place < start.count || left != nil { return true }
      let now = ContinuousClock.now
      if hasNews, now - lastPause >= Self.patience {
        hasNews = false
        lastPause = now
        return false
      }
      if !hasNews { lastPause = now }
      if isFile, hasGrown { return true }
      if waits(hasNews ? Self.patience - (now - lastPause) : nil) { return true }
    }
  }

  /// Fills `buffer` from `at` on with what has arrived, waiting for the first byte; returns the
  /// number of bytes, 0 at the end.
  func read(into buffer: inout [UInt8], from at: Int) throws(TraceError) -> Int {
    if place < start.count {
      let count = min(start.count - place, buffer.count - at)
      buffer.replaceSubrange(at..<at + count, with: start[place..<place + count])
      place += count
      hasNews = true
      return count
    }
    // What is looked at first stays within what can be read again, however much is there.
    let again = keepsStart ? Self.headBytes - start.count : 0
    let room = buffer.count - at
    let count = try receive(into: &buffer, from: at, again > 0 ? min(room, again) : room)
    if keepsStart, again > 0 {
      start += buffer[at..<at + count]
      place = start.count
    } else {
      keepsStart = false
      start = []
      place = 0
    }
    return count
  }

  private func receive(
    into buffer: inout [UInt8], from at: Int, _ count: Int
  ) throws(TraceError) -> Int {
    while true {
      if let left {
        // Told to end: what is there is taken, nothing is waited for.
        guard left > 0, isFile || StreamStop.wait(for: descriptor, .zero) == .readable else {
          return 0
        }
      } else if !isFile {
        guard waits(nil) else { continue }
        if left != nil { continue }
      }
      let got = unsafe buffer.withUnsafeMutableBytes {
        unsafe Glibc.read(descriptor, $0.baseAddress! + at, min(count, left ?? count))
      }
      if got < 0 {
        if errno == EINTR || errno == EAGAIN { continue }
        // What a terminal or a serial line says when the other side hangs up.
        if errno == EIO, !isFile { return 0 }
        throw Self.error(name, "cannot be read")
      }
      if let bound = left { left = bound - got }
      if got == 0, isFile, hasShrunk {
        throw TraceError(
          file: name, what: "became shorter while it was followed",
          hint: "import it anew; a file that is rotated is followed through a pipe (tail -F)")
      }
      if got > 0 { hasNews = true }
      if got > 0 || !isFile || left != nil { return got }
      _ = waits(nil)
    }
  }

  /// Waits for bytes, for `time` at most; true if reading makes sense now: there are some,
  /// or the input ends.
  private func waits(_ time: Duration?) -> Bool {
    // A file is always readable; whether it has grown is asked now and then.
    let wake =
      isFile
      ? StreamStop.wait(for: -1, min(time ?? Self.glance, Self.glance), watching: output)
      : StreamStop.wait(for: descriptor, time, watching: output)
    switch wake {
    case .readable: return true
    case .timeout: return isFile && hasGrown
    case .stopped, .abandoned:
      left = Self.lastBytes
      return true
    }
  }

  /// Whether a file has more bytes than were read.
  private var hasGrown: Bool { growth > 0 }
  /// Whether it has fewer.
  private var hasShrunk: Bool { growth < 0 }

  private var growth: Int {
    var status = stat()
    guard unsafe fstat(descriptor, &status) == 0 else { return 0 }
    return status.st_size - lseek(descriptor, 0, SEEK_CUR)
  }

  private static func error(_ file: String, _ what: String) -> TraceError {
    let reason = unsafe String(cString: strerror(errno))
    return TraceError(file: file, what: "\(what): \(reason)")
  }
}
