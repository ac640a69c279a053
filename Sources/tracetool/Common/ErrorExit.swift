import ArgumentParser
import Glibc
import TraceFormat

/// Why a run ended, as an exit code (design: 2 before 1 before 3 before 0).
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
  if error is BrokenPipe { dieOfBrokenPipe() }
  if let code = error as? ExitCode { exit(code.rawValue) }
  if let error = error as? TraceError {
    printDiagnostic("error: \(error)")
    exit(ExitStatus.failure.rawValue)
  }
  if Tracetool.exitCode(for: error) == .success { printHelpAndExit(Tracetool.fullMessage(for: error)) }
  printDiagnostic("error: \(Tracetool.message(for: error)); see '\(helpCommand())'")
  exit(ExitStatus.failure.rawValue)
}

/// Prints one line to stderr, with the tool's name before it.
func printDiagnostic(_ text: String) {
  let line = "tracetool: " + printableLine(text) + "\n"
  writeUnchecked(Array(line.utf8), to: STDERR_FILENO)
}

/// `text` without line breaks and control characters: a file name may hold anything.
func printableLine(_ text: String) -> String {
  let lines = text.split(whereSeparator: \.isNewline)
    .map { line in line.drop { $0 == " " } }
  var result = ""
  for scalar in lines.joined(separator: "; ").unicodeScalars {
    if scalar.properties.generalCategory == .control {
      result += "\\u{" + String(scalar.value, radix: 16) + "}"
    } else {
      result.unicodeScalars.append(scalar)
    }
  }
  return result
}

/// Help can be piped into `head`, and onto a full disk, like anything else.
private func printHelpAndExit(_ text: String) -> Never {
  do {
    let output = TextOutput.standard()
    try output.write(text + "\n")
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
