import Synchronization

/// The files of this process that must not stay if it ends now.
///
/// Creating and renaming happen under one lock with the list of them, so that an interrupt finds
/// each file either on the list or complete.
public enum UnfinishedFiles {
  private static let paths = Mutex<[String]>([])

  /// Notes a file or a directory that does not have to exist yet.
  public static func add(_ path: String) { paths.withLock { $0.append(path) } }

  /// Removes a file or an empty directory that was noted.
  public static func remove(_ path: String) {
    paths.withLock {
      FileDescriptor.remove(path)
      $0.removeAll { $0 == path }
    }
  }

  /// Makes a file that did not exist, and notes it.
  static func create(_ path: String) throws(FileDescriptor.Failure) -> FileDescriptor {
    try paths.withLock { (paths) throws(FileDescriptor.Failure) in
      let file = try FileDescriptor(creating: path, mode: 0o666)
      paths.append(path)
      return file
    }
  }

  /// Gives a noted file its name: it is finished.
  static func complete(_ path: String, as target: String) throws(FileDescriptor.Failure) {
    try paths.withLock { (paths) throws(FileDescriptor.Failure) in
      try FileDescriptor.rename(path, to: target)
      paths.removeAll { $0 == path }
    }
  }

  /// Removes all of them, the latest first, and calls `end`; no file is made or named meanwhile.
  public static func removeAll(then end: () -> Never) -> Never {
    paths.withLock { paths in
      for path in paths.reversed() { FileDescriptor.remove(path) }
      end()
    }
  }
}
