import ArgumentParser
import Glibc
import TraceFormat

/// How a run ended, as an exit code.
enum ExitStatus: Int32 {
  /// Everything asked for holds.
  case success = 0
  /// A violation, or a difference.
  case violation = 1
  /// Bad usage, unreadable input, or an error of our own.
  case failure = 2
  /// Something could not be decided.
  case inconclusive = 3
}

/// Ends the process after `error`, which reached the root command.
///
/// Whatever went wrong, it is one line on stderr and exit code 2. Help and version are no errors.
func endProcess(after error: any Error) -> Never {
  if let code = error as? ExitCode { exit(code.rawValue) }
  if let error = error as? TraceError {
    if error.what == AtomicOutput.brokenPipe { dieOfBrokenPipe() }
    printDiagnostic("error: \(error)")
    exit(ExitStatus.failure.rawValue)
  }
  if Tracetool.exitCode(for: error) == .success {
    printHelpAndExit(Tracetool.fullMessage(for: error))
  }
  printDiagnostic("error: \(Tracetool.message(for: error)); see '\(helpCommand())'")
  exit(ExitStatus.failure.rawValue)
}

/// Prints one line to stderr, with the tool's name before it.
func printDiagnostic(_ text: String) {
  ProgressBar.clear()
  writeToStandardError(Array(("tracetool: " + printableLine(text) + "\n").utf8))
}

/// `text` in one line and without control characters: a file name may hold anything.
func printableLine(_ text: String) -> String {
  var result = ""
  for (index, line) in text.split(whereSeparator: \.isNewline).enumerated() {
    let line = line.drop { $0 == " " }
    // A list of choices, as the argument parser prints it, reads on as a list.
    if index > 0 { result += line.hasPrefix("- ") ? (result.hasSuffix(":") ? " " : ", ") : "; " }
    for scalar in (line.hasPrefix("- ") ? line.dropFirst(2) : line).unicodeScalars {
      if scalar.properties.generalCategory == .control {
        result += "\\u{" + String(scalar.value, radix: 16) + "}"
      } else {
        result.unicodeScalars.append(scalar)
      }
    }
  }
  return result
}

/// Help can be piped into `head`, and onto a full disk, like anything else.
private func printHelpAndExit(_ text: String) -> Never {
  do {
    let output = try TextOutput.open()
    try output.writeLine(text)
    try output.close()
    exit(ExitStatus.success.rawValue)
  } catch {
    endProcess(after: error)
  }
}

/// The command that explains the verb in question.
private func helpCommand() -> String {
  let verbs = Tracetool.configuration.subcommands.map { $0._commandName }
  guard let verb = CommandLine.arguments.dropFirst().first(where: { verbs.contains($0) }) else {
    return "tracetool --help"
  }
  return "tracetool \(verb) --help"
}
