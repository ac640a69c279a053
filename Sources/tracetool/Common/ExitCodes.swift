import ArgumentParser
import Glibc

/// `--bisect` and `--kselftest`: whose exit codes a verb ends with.
struct ExitCodeOptions: ParsableArguments {
  @Flag(
    help: "Exit as 'git bisect run' wants it: 0 good, 1 bad, 125 cannot tell, 128 stop on an error."
  )
  var bisect = false

  @Flag(
    help: ArgumentHelp(
      "Exit as kselftest does: 0 pass, 1 fail or error, 2 expected failure, 4 skip."))
  var kselftest = false

  func validate() throws {
    if bisect && kselftest { throw ValidationError("--bisect and --kselftest exclude each other") }
  }
}

/// How a run's end becomes an exit code.
///
/// An error may end the process before the options are parsed, or because they cannot be: what
/// counts is what the user typed. `git bisect run` would take a plain 2 for a bad revision.
enum ExitCodes {
  case plain
  case bisect
  case kselftest

  /// By the command line.
  static let current: ExitCodes = {
    let words = CommandLine.arguments.prefix { $0 != "--" }
    if words.contains("--bisect") { return .bisect }
    return words.contains("--kselftest") ? .kselftest : .plain
  }()

  /// The exit code for a status.
  ///
  /// - Parameter expected: a success that consists of the expected violations.
  func code(_ status: ExitStatus, expected: Bool = false) -> Int32 {
    switch (self, status) {
    case (.plain, _): status.rawValue
    case (_, .success): self == .kselftest && expected ? 2 : 0
    case (_, .violation): 1
    case (.bisect, .failure): 128
    case (.bisect, .inconclusive): 125
    case (.kselftest, .failure): 1
    case (.kselftest, .inconclusive): 4
    }
  }
}
