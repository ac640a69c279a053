import ArgumentParser
import TraceFormat

/// `tracetool merge A B … -o OUT`: one trace of several.
struct Merge: ParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Make one trace of several that were recorded on one machine.",
    discussion: """
      By time: events of several files, one for each CPU perhaps, are put in the order of their \
      times; at the same time the file that is named first goes first, and events of one file never \
      change their order; all files are taken to cover the same stretch of time. As given: one file \
      after the other, with a loss between them for what nobody recorded. #GENERATIONs are numbered anew, \
      losses are kept, and what one of the files cannot see the merged one cannot see. Files of \
      different clocks, kernels, architectures or hosts are refused, and by time also those of \
      different boots or seeds: page frame 7 of one is not page frame 7 of the other.

      EXAMPLES:
        tracetool merge cpu0.ptt cpu1.ptt -o all.ptt
        tracetool merge --order given morning.ptt evening.ptt -o day.ptt
        tracetool merge -q cpu0.ptt cpu1.ptt -o - | tracetool check -
      """)

  @Argument(
    help: ArgumentHelp("The traces, two or more; one may be - for stdin.", valueName: "FILE"))
  var files: [String]

  @Option(help: "In which order events go into the new trace.")
  var order = Order.time

  /// The orders as words of the command line.
  enum Order: String, ExpressibleByArgument, CaseIterable {
    case time
    case given

    /// The order itself.
    var mergeOrder: TraceMerge.Order {
      switch self {
      case .time: .time
      case .given: .given
      }
    }
  }

  @Option(
    name: [.short, .customLong("output")],
    help: ArgumentHelp("The trace file to write; - is stdout.", valueName: "FILE"))
  var output: String

  @OptionGroup var writing: WritingOptions
  @OptionGroup var verbosity: VerbosityOptions

  func validate() throws {
    if files.count < 2 { throw ValidationError("merge needs two traces or more") }
    if files.count(where: { $0 == "-" }) > 1 {
      throw ValidationError("only one of the traces can be stdin")
    }
  }

  func run() throws {
    let bar = ProgressBar("merge", .events, verbosity)
    defer { ProgressBar.clear() }
    let count = try TraceMerge.merge(
      files, order: order.mergeOrder, producer: toolProducer, to: output,
      options: writing.writerOptions
    ) { bar?.update($0, of: $1) }
    verbosity.note("\(output): \(count) events of \(files.count) traces")
  }
}
