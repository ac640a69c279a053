import ArgumentParser
import TraceFormat

/// `--codec`, `--snapshot-every` and `-j`, for verbs that write a trace.
struct WritingOptions: ParsableArguments {
  @Option(
    help: ArgumentHelp(
      "How the columns of each block are stored; 'none' leaves them as docs/FORMAT.md describes "
        + "them, for reading with plain tools.",
      valueName: "zstd[:LEVEL]|none"))
  var codec = CodecArgument(codec: TraceWriter.Options().codec)

  @Option(
    help: ArgumentHelp(
      "Store what is known of all objects behind every N events, so that 'check', 'replay' and "
        + "'slice' can begin there; 'auto' lets it be 2 % of the file. Writing takes longer.",
      valueName: "N|auto|none"))
  var snapshotEvery = SnapshotInterval(policy: .none)

  @OptionGroup var jobs: JobOptions

  /// Options for a writer.
  var writerOptions: TraceWriter.Options {
    TraceWriter.Options(
      codec: codec.codec, snapshots: snapshotEvery.policy, workers: jobs.workers)
  }
}
