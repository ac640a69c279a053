import Glibc

// The one file of the tool that talks to file descriptors and signals directly.

/// The reader of our output went away: nothing is wrong, and nobody is left to tell.
struct BrokenPipe: Error {}

/// Turns a write into a closed pipe from a signal into an error, so that temporary files are
/// removed on the way out.
func ignoreBrokenPipes() {
  _ = unsafe signal(SIGPIPE, SIG_IGN)
}

/// Ends as a program does that never heard of SIGPIPE: quietly, by that signal.
func dieOfBrokenPipe() -> Never {
  _ = unsafe signal(SIGPIPE, SIG_DFL)
  _ = raise(SIGPIPE)
  exit(128 + SIGPIPE)
}

/// Writes all of `bytes`; returns errno, or 0.
func writeAll(_ bytes: [UInt8], to descriptor: Int32) -> Int32 {
  var done = 0
  while done < bytes.count {
    let count = unsafe bytes.withUnsafeBytes { buffer in
      unsafe write(descriptor, buffer.baseAddress! + done, buffer.count - done)
    }
    if count < 0 {
      if errno == EINTR { continue }
      return errno
    }
    done += count
  }
  return 0
}

/// Writes where no one can be told of a failure (stderr).
func writeUnchecked(_ bytes: [UInt8], to descriptor: Int32) {
  _ = writeAll(bytes, to: descriptor)
}

/// The text for an errno.
func errnoText(_ code: Int32) -> String {
  unsafe String(cString: strerror(code))
}

/// The value of an environment variable, if set and not empty.
func environmentValue(_ name: String) -> String? {
  guard let value = unsafe getenv(name) else { return nil }
  let text = unsafe String(cString: value)
  return text.isEmpty ? nil : text
}
