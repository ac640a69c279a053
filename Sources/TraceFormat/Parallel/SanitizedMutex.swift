#if SANITIZE_THREAD
  import Glibc

  /// Stands for `Synchronization.Mutex` in what `make sanitize` builds.
  ///
  /// On Linux that one waits by futex, which the thread sanitizer does not see: it reports a race
  /// for whatever two threads do one after the other under the same `Mutex`. It knows POSIX mutexes.
  @safe final class Mutex<Value>: @unchecked Sendable {
    private var value: Value
    private let mutex = UnsafeMutablePointer<pthread_mutex_t>.allocate(capacity: 1)

    init(_ value: sending Value) {
      self.value = value
      unsafe mutex.initialize(to: pthread_mutex_t())
      unsafe pthread_mutex_init(mutex, nil)
    }

    deinit {
      unsafe pthread_mutex_destroy(mutex)
      unsafe mutex.deallocate()
    }

    func withLock<Result, Failure>(
      _ body: (inout Value) throws(Failure) -> Result
    ) throws(Failure) -> Result {
      unsafe pthread_mutex_lock(mutex)
      defer { unsafe pthread_mutex_unlock(mutex) }
      return try body(&value)
    }
  }
#endif
