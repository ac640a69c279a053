import ArgumentParser

/// `-o FILE`, for verbs that print text.
struct OutputOptions: ParsableArguments {
  @Option(
    name: [.short, .customLong("output")],
    help: ArgumentHelp("Write to FILE instead of stdout.", valueName: "FILE"))
  var output = "-"
}

/// `-q` and `-v`: how much is said on stderr.
struct VerbosityOptions: ParsableArguments {
  @Flag(name: .shortAndLong, help: "Say nothing on stderr but errors.")
  var quiet = false

  @Flag(name: .shortAndLong, help: "Say more on stderr.")
  var verbose = false

  func validate() throws {
    if quiet && verbose { throw ValidationError("-q and -v exclude each other") }
  }

  /// Prints a line to stderr, unless told to be quiet.
  func note(_ text: String) {
    if !quiet { printDiagnostic(text) }
  }

  /// Prints a line to stderr if asked to say more.
  func detail(_ text: String) {
    if verbose { printDiagnostic(text) }
  }
}

/// How a verb prints what it found.
enum TextOrJSON: String, ExpressibleByArgument, CaseIterable {
  case text
  case json
}
