import ArgumentParser

/// `-j N`: how many threads decode or encode blocks. What comes out does not depend on it.
struct JobOptions: ParsableArguments {
  /// More threads than this do nothing: the rest of a verb is one thread's work.
  private static let most = 64

  @Option(
    name: [.short, .customLong("jobs")],
    help: ArgumentHelp(
      "Threads that decode or encode blocks besides the one that does the rest, 1 to 64; 0 for "
        + "one on each CPU, 1 for none besides. The output is the same; the second takes "
        + "35 to 50 MiB, each further one 10 to 20.",
      valueName: "N"))
  var jobs = 1

  func validate() throws {
    guard (0...Self.most).contains(jobs) else {
      throw ValidationError("-j must be a number from 0 to \(Self.most)")
    }
  }

  /// The number of threads.
  var workers: Int {
    jobs > 0 ? jobs : min(Self.most, max(1, onlineCPUs()))
  }
}
