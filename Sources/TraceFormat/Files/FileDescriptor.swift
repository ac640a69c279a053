import Glibc

/// The system calls on files that TraceFormat needs, with the words for their errors.
///
/// One of the files that may use unsafe constructs: it hands buffers and paths to the C library.
struct FileDescriptor {
  /// What `stat` says about a path or an open file.
  struct Status {
    /// What the file is.
    enum Kind {
      case regular
      case directory
      case other
    }

    let kind: Kind
    /// Bytes of a regular file.
    let size: UInt64
    /// Permission bits.
    let mode: mode_t
  }

  /// The number of an error of the C library.
  struct Failure: Error {
    let number: Int32

    /// The system's phrase for it.
    var reason: String { unsafe String(cString: strerror(number)) }
  }

  let number: Int32

  static let standardInput = FileDescriptor(number: STDIN_FILENO)
  static let standardOutput = FileDescriptor(number: STDOUT_FILENO)

  private init(number: Int32) { self.number = number }

  /// Opens a file to read.
  init(reading path: String) throws(Failure) {
    number = try Self.check(unsafe Glibc.open(path, O_RDONLY | O_CLOEXEC))
  }

  /// Opens what is already there to write into it: a device, a named pipe.
  init(writing path: String) throws(Failure) {
    number = try Self.check(unsafe Glibc.open(path, O_WRONLY | O_CLOEXEC))
  }

  /// Makes a file that did not exist.
  init(creating path: String, mode: mode_t) throws(Failure) {
    number = try Self.check(unsafe Glibc.open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, mode))
  }

  /// Closes the file; what could not be written so far may only show here.
  func close() throws(Failure) { _ = try Self.check(Glibc.close(number)) }

  /// What the file is.
  func status() throws(Failure) -> Status {
    var buffer = stat()
    _ = try Self.check(unsafe fstat(number, &buffer))
    return Self.status(buffer)
  }

  /// What lies at a path, links followed; nil where there is nothing.
  static func status(of path: String) throws(Failure) -> Status? {
    var buffer = stat()
    if unsafe stat(path, &buffer) == 0 { return status(buffer) }
    guard errno == ENOENT else { throw Failure(number: errno) }
    return nil
  }

  /// Sets the permission bits.
  func setMode(_ mode: mode_t) throws(Failure) { _ = try Self.check(fchmod(number, mode)) }

  /// The path with every link followed; nil where there is none.
  static func realPath(_ path: String) -> String? {
    guard let resolved = unsafe realpath(path, nil) else { return nil }
    defer { unsafe free(resolved) }
    return unsafe String(validatingCString: resolved)
  }

  /// Writes all of `bytes`.
  func write(_ bytes: [UInt8]) throws(Failure) {
    var start = 0
    while start < bytes.count {
      let written = unsafe bytes.withUnsafeBytes { buffer in
        unsafe Glibc.write(number, buffer.baseAddress! + start, buffer.count - start)
      }
      if written < 0 {
        if errno == EINTR { continue }
        throw Failure(number: errno)
      }
      start += written
    }
  }

  /// Fills `bytes[start..<end]` from the file's current place, or from `offset`, and returns how
  /// many bytes there were; fewer only at the end.
  func read(
    into bytes: inout [UInt8], _ start: Int, _ end: Int, at offset: UInt64?
  ) throws(Failure) -> Int {
    var done = start
    while done < end {
      if offset == nil, !StreamStop.mayRead(number) { break }
      let count = unsafe bytes.withUnsafeMutableBytes { buffer in
        let target = unsafe buffer.baseAddress! + done
        guard let offset else { return unsafe Glibc.read(number, target, end - done) }
        let place = off_t(clamping: offset &+ UInt64(done - start))
        return unsafe pread(number, target, end - done, place)
      }
      if count < 0 {
        if errno == EINTR { continue }
        throw Failure(number: errno)
      }
      if count == 0 { break }
      done += count
    }
    return done - start
  }

  /// Makes `from` the file `to`, in one step.
  static func rename(_ from: String, to: String) throws(Failure) {
    _ = unsafe try check(Glibc.rename(from, to))
  }

  /// Removes a file or an empty directory; what cannot be removed stays.
  static func remove(_ path: String) {
    if unsafe unlink(path) != 0, errno == EISDIR { _ = unsafe rmdir(path) }
  }

  /// Lets a write to a pipe nobody reads fail with EPIPE instead of ending the process.
  static func ignoreBrokenPipes() { _ = signal(SIGPIPE, SIG_IGN) }

  /// Number of this process.
  static var processID: Int32 { getpid() }

  private static func check(_ result: Int32) throws(Failure) -> Int32 {
    guard result >= 0 else { throw Failure(number: errno) }
    return result
  }

  private static func status(_ buffer: stat) -> Status {
    let kind: Status.Kind
    switch buffer.st_mode & S_IFMT {
    case S_IFREG: kind = .regular
    case S_IFDIR: kind = .directory
    default: kind = .other
    }
    return Status(kind: kind, size: UInt64(clamping: buffer.st_size), mode: buffer.st_mode & 0o7777)
  }
}
