import ArgumentParser
import TraceFormat

/// `tracetool slice FILE -o OUT`: a part of a trace.
struct Slice: ParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Cut a run of events out of a trace.",
    discussion: """
      The slice is a trace of its own in which events keep their ordinals and tables their \
      #GENERATION. It begins with a snapshot of all objects at the cut, so that 'check' finds in it \
      what it finds there in the whole. By time, it goes from the first event that is not before A \
      to the last one that is not after B. Blocks are read from the last snapshot before the cut on.

      EXAMPLES:
        tracetool slice long.ptt --ordinal 1000000..1999999 -o part.ptt
        tracetool slice long.ptt --time 17.2,17.5 -o part.ptt
        tracetool slice long.ptt --time ,17.5 -o - | tracetool check -
      """)

  @Argument(help: ArgumentHelp("The trace; a file, no pipe.", valueName: "FILE"))
  var file: String

  @Option(
    help: ArgumentHelp(
      "The events with these ordinals: A..B (both included), A.. or ..B.", valueName: "A..B"))
  var ordinal: OrdinalRange?

  @Option(
    help: ArgumentHelp(
      "The events from time A to B (both included), in seconds or, of a clock without seconds, "
        + "its ticks; either may be left out.", valueName: "A,B"))
  var time: TimeRange?

  @Option(
    name: [.short, .customLong("output")],
    help: ArgumentHelp("The trace file to write; - is stdout.", valueName: "FILE"))
  var output: String

  @OptionGroup var writing: WritingOptions
  @OptionGroup var verbosity: VerbosityOptions

  func validate() throws {
    if (ordinal == nil) == (time == nil) {
      throw ValidationError("slice needs either --ordinal or --time")
    }
  }

  func run() throws {
    let range: TraceSlice.Range
    if let time {
      range = .times(try time.units(try TraceReader(path: file).header.clock, file))
    } else {
      range = .ordinals((ordinal?.first ?? 0)...(ordinal?.last ?? .max))
    }
    let bar = ProgressBar("slice \(file)", .events, verbosity)
    defer { ProgressBar.clear() }
    let report = try TraceSlice.cut(
      range, of: file, to: output, options: writing.writerOptions
    ) { bar?.update($0, of: $1) }
    let ordinals = report.ordinals
    verbosity.note(
      "\(output): \(ordinals.upperBound - ordinals.lowerBound + 1) events, those from "
        + "\(ordinals.lowerBound) to \(ordinals.upperBound) of \(file)")
    if report.livesLeftOut > 0 {
      verbosity.note(
        "\(output): \(report.livesLeftOut) objects that were gone at the cut are not in its "
          + "snapshot; a use of them would not be noticed")
    }
    verbosity.detail("\(output): the state at the cut is in \(report.historyEvents) events")
    verbosity.detail("\(file): read \(report.blocksRead) of \(report.blockCount) blocks")
  }
}
