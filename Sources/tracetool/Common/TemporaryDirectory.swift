import TraceFormat

/// A directory that only this user can look into, in TMPDIR.
struct TemporaryDirectory {
  /// Where it lies.
  let path: String

  /// Makes a new one.
  init() throws {
    let parent = environmentValue("TMPDIR") ?? "/tmp"
    guard let made = makeDirectory(template: "\(parent)/tracetool-XXXXXX") else {
      throw TraceError(
        file: parent, what: "cannot hold a temporary directory",
        hint: "set TMPDIR to a directory you can write to")
    }
    path = made
  }

  /// Removes it with these files in it.
  func remove(_ files: [String]) {
    for file in files { removeFile("\(path)/\(file)") }
    removeDirectory(path)
  }
}
