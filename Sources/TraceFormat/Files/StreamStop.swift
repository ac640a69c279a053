import Glibc
import Synchronization

/// The wish that what comes through a pipe, or from a file that grows, shall end here.
///
/// A verb that follows a stream arms it; whoever gets the user's Ctrl-C requests it. Readers then
/// take what is still on its way and behave as at the end of their input, so that the verb writes
/// its output or its report as always.
///
/// One of the files that may use unsafe constructs: it waits for descriptors.
public enum StreamStop {
  /// What ended a wait.
  public enum Wake: Sendable {
    /// The descriptor can be read, or is at its end.
    case readable
    /// The time is over.
    case timeout
    /// The stop was requested.
    case stopped
    /// Nobody reads the watched output any more.
    case abandoned
  }

  private struct State {
    /// Both ends of a pipe that gets a byte when the stop is requested.
    var ends: (reading: Int32, writing: Int32)?
    var requestedAt: ContinuousClock.Instant?
  }

  private static let state = Mutex(State())
  /// How long a reader of a pipe waits, after the request, for the writer to end.
  private static let patience = Duration.seconds(3)

  /// From here on a stop can be requested.
  public static func arm() {
    state.withLock { state in
      guard state.ends == nil else { return }
      var ends: [Int32] = [-1, -1]
      guard unsafe pipe(&ends) == 0 else { return }
      for end in ends { _ = fcntl(end, F_SETFD, FD_CLOEXEC) }
      state.ends = (ends[0], ends[1])
    }
  }

  /// Requests the stop; false if nobody armed it or it was requested more than a second ago.
  ///
  /// One Ctrl-C may arrive twice: `timeout` tells its child and then the whole process group.
  public static func request() -> Bool {
    state.withLock { state in
      guard let ends = state.ends else { return false }
      if let first = state.requestedAt { return ContinuousClock.now - first < .seconds(1) }
      state.requestedAt = .now
      var byte: UInt8 = 0
      return unsafe write(ends.writing, &byte, 1) == 1
    }
  }

  /// Whether the stop was requested.
  public static var isRequested: Bool { state.withLock { $0.requestedAt != nil } }

  /// Waits for `descriptor` to become readable, for `time` at most (nil: for ever).
  ///
  /// - Parameter output: a pipe whose reader may leave meanwhile.
  public static func wait(
    for descriptor: Int32, _ time: Duration?, watching output: Int32? = nil
  ) -> Wake {
    let stop = state.withLock { $0.requestedAt == nil ? $0.ends?.reading : nil }
    // poll() passes over negative descriptors.
    var set = [
      pollfd(fd: descriptor, events: Int16(POLLIN), revents: 0),
      pollfd(fd: stop ?? -1, events: Int16(POLLIN), revents: 0),
      pollfd(fd: output ?? -1, events: 0, revents: 0),
    ]
    let count = unsafe poll(&set, 3, time.map(milliseconds) ?? -1)
    if count < 0 { return errno == EINTR ? .timeout : .readable }
    if set[2].revents != 0 { return .abandoned }
    if set[0].revents != 0 { return .readable }
    if set[1].revents != 0 { return .stopped }
    return .timeout
  }

  /// A time as poll() takes it, rounded up so that nobody waits for nothing again and again.
  private static func milliseconds(_ time: Duration) -> Int32 {
    let (seconds, attoseconds) = max(time, .zero).components
    let part = (attoseconds + 999_999_999_999_999) / 1_000_000_000_000_000
    return Int32(clamping: seconds * 1000 + part)
  }

  /// Whether a pipe should still be read: waits until it can be. After a request its writer, who
  /// was most likely told as well, has a moment left to end it.
  static func mayRead(_ descriptor: Int32) -> Bool {
    guard state.withLock({ $0.ends != nil }) else { return true }
    while true {
      let requested = state.withLock { $0.requestedAt }
      guard let requested else {
        if wait(for: descriptor, nil) == .readable { return true }
        continue
      }
      let left = patience - (ContinuousClock.now - requested)
      guard left > .zero else { return false }
      if wait(for: descriptor, left) == .readable { return true }
    }
  }
}
