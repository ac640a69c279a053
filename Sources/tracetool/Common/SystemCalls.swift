import Glibc
import TraceFormat

// The one file of the tool that calls the C library directly.

/// Turns a write into a closed pipe, or beyond the limit of file sizes, from a signal into an
/// error, so that temporary files are removed on the way out.
func makeFailedWritesErrors() {
  _ = signal(SIGPIPE, SIG_IGN)
  _ = signal(SIGXFSZ, SIG_IGN)
}

/// Ends as a program does that never heard of SIGPIPE: quietly, by that signal.
func dieOfBrokenPipe() -> Never {
  _ = signal(SIGPIPE, SIG_DFL)
  _ = raise(SIGPIPE)
  exit(128 + SIGPIPE)
}

/// How the process ends that was interrupted.
let interruptedExitCode = 128 + SIGINT

/// From here on SIGINT and SIGTERM, unless they are ignored, remove every unfinished file and end
/// the process with exit code 130. Where a verb follows a stream or records, the first of
/// them ends the stream and not the process.
///
/// A thread waits for them, so that nothing is bound to what a signal handler may do.
func endOnInterrupt() {
  var signals = interrupts()
  unsafe pthread_sigmask(SIG_BLOCK, &signals, nil)
  var thread = pthread_t()
  let wait: @convention(c) (UnsafeMutableRawPointer?) -> UnsafeMutableRawPointer? = { _ in
    var signals = interrupts()
    var number: Int32 = 0
    repeat { while unsafe sigwait(&signals, &number) != 0 {} } while StreamStop.request()
    UnfinishedFiles.removeAll {
      ProgressBar.clear()
      _exit(interruptedExitCode)
    }
  }
  if unsafe pthread_create(&thread, nil, wait, nil) != 0 {
    unsafe pthread_sigmask(SIG_UNBLOCK, &signals, nil)
  }
}

/// The signals that ask the process to end and that it was not told to ignore.
private func interrupts() -> sigset_t {
  var signals = sigset_t()
  unsafe sigemptyset(&signals)
  for number in [SIGINT, SIGTERM] {
    var action = sigaction()
    let known = unsafe sigaction(number, nil, &action) == 0
    let isIgnored = unsafe unsafeBitCast(action.__sigaction_handler.sa_handler, to: Int.self) == 1
    if !(known && isIgnored) { unsafe sigaddset(&signals, number) }
  }
  return signals
}

/// Writes to stderr, where no one can be told of a failure.
func writeToStandardError(_ bytes: [UInt8]) {
  var start = 0
  while start < bytes.count {
    let count = unsafe bytes.withUnsafeBytes { buffer in
      unsafe write(STDERR_FILENO, buffer.baseAddress! + start, buffer.count - start)
    }
    if count < 0 && errno != EINTR { return }
    start += max(count, 0)
  }
}

/// Whether `-` is a pipe, or anything else that is no file.
func standardInputIsStream() -> Bool {
  var status = stat()
  return unsafe fstat(STDIN_FILENO, &status) == 0 && status.st_mode & S_IFMT != S_IFREG
}

/// Number of CPUs this machine runs on.
func onlineCPUs() -> Int { sysconf(Int32(_SC_NPROCESSORS_ONLN)) }

/// Whether a person looks at stderr.
func standardErrorIsTerminal() -> Bool { isatty(STDERR_FILENO) == 1 }

/// Whether a person looks at stdout.
func standardOutputIsTerminal() -> Bool { isatty(STDOUT_FILENO) == 1 }

/// Columns of the terminal on stderr; 80 where it does not tell.
func terminalWidth() -> Int {
  var size = winsize()
  guard unsafe ioctl(STDERR_FILENO, UInt(TIOCGWINSZ), &size) == 0, size.ws_col > 0 else {
    return 80
  }
  return Int(size.ws_col)
}

/// The value of an environment variable, if set and not empty.
func environmentValue(_ name: String) -> String? {
  guard let value = unsafe getenv(name) else { return nil }
  let text = unsafe String(cString: value)
  return text.isEmpty ? nil : text
}

/// Whether a directory lies at `path`.
func isDirectory(_ path: String) -> Bool {
  var status = stat()
  return unsafe stat(path, &status) == 0 && status.st_mode & S_IFMT == S_IFDIR
}

/// Whether a regular file lies at `path`, or nothing.
func isRegularFileOrNone(_ path: String) -> Bool {
  var status = stat()
  return unsafe stat(path, &status) != 0 || status.st_mode & S_IFMT == S_IFREG
}

/// Whether anything lies at `path`.
func fileExists(_ path: String) -> Bool {
  unsafe access(path, F_OK) == 0
}

/// The first bytes of a regular file, or of stdin redirected from one for `-`; nil for everything
/// else, from which they could not be read twice. Fewer than `count` only at the end.
func firstBytes(of path: String, count: Int) -> [UInt8]? {
  let descriptor = path == "-" ? STDIN_FILENO : unsafe open(path, O_RDONLY | O_CLOEXEC)
  guard descriptor >= 0 else { return nil }
  defer { if path != "-" { close(descriptor) } }
  var status = stat()
  guard unsafe fstat(descriptor, &status) == 0, status.st_mode & S_IFMT == S_IFREG else {
    return nil
  }
  let place = path == "-" ? max(lseek(descriptor, 0, SEEK_CUR), 0) : 0
  var bytes = [UInt8](repeating: 0, count: count)
  let got = unsafe bytes.withUnsafeMutableBytes { buffer in
    unsafe pread(descriptor, buffer.baseAddress, count, place)
  }
  return got < 0 ? nil : Array(bytes.prefix(got))
}

/// Makes a directory of a new name, which begins as `template` and ends in six other characters
/// than its X's; nil if that is not possible.
func makeDirectory(template: String) -> String? {
  var name = Array(template.utf8CString)
  let made = unsafe name.withUnsafeMutableBufferPointer { buffer in
    unsafe mkdtemp(buffer.baseAddress!) != nil
  }
  return made ? String(decoding: name.dropLast().map { UInt8(bitPattern: $0) }, as: UTF8.self) : nil
}
