import TraceFormat

/// A directory that only this user can look into, in TMPDIR.
struct TemporaryDirectory {
  /// Where it lies.
  let path: String

  private let files: [String]

  /// Makes a new one that is going to hold files of these names.
  init(holding names: [String]) throws {
    let parent = environmentValue("TMPDIR") ?? "/tmp"
    guard let made = makeDirectory(template: "\(parent)/tracetool-XXXXXX") else {
      throw TraceError(
        file: parent, what: "cannot hold a temporary directory",
        hint: "set TMPDIR to a directory you can write to")
    }
    path = made
    files = names.map { "\(made)/\($0)" }
    for unfinished in [path] + files { UnfinishedFiles.add(unfinished) }
  }

  /// Removes it with the files in it.
  func remove() {
    for unfinished in files.reversed() + [path] { UnfinishedFiles.remove(unfinished) }
  }
}
