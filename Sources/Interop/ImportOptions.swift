/// What a user may say about an import.
public struct ImportOptions: Sendable {
  /// Number of the statistic that counts page tables (`NR_PAGETABLE`), where the probes print
  /// other statistics too; nil finds it out (38 in every kernel read so far, kernel-facts §8.1).
  public var nrPageTable: UInt64?
  /// Whether the files beside a capture (`stats.txt`, `kprobe_profile.txt` …) are read.
  public var sideFiles = true
  /// Path of the map that explains another tracer's records.
  public var map: String?
  /// Name of the ring buffer to import where a file holds several; `top` is the main one.
  public var buffer: String?
  /// Kernel release to note in the header.
  public var kernel: String?
  /// Architecture (`riscv64`, `x86_64`, `arm64`); nil finds it out.
  public var arch: String?
  /// Stage label to note in the header; an importer never guesses it.
  public var stage: String?
  /// Follow the input while it is being written: one pass, in which events are handed on at least
  /// once a second. Ends where a pipe ends, or with ``TraceFormat/StreamStop``.
  public var follow = false
  /// Descriptor of a pipe the events go to; a follower ends when nobody reads it any more.
  public var followersOutput: Int32?
  /// What the events were handed to can be thrown away: a second one may be asked for, and what the
  /// first one was given is void then. A large file is read once, in most cases.
  public var mayStartAgain = false
  /// How much of a large file is looked at first.
  var sampling = LineReader.Sampling()
  /// Name and version of the program, for the header.
  public var producer = "tracetool"

  /// Reads a file beside the trace by its name; nil reads those in the trace's folder.
  var beside: (@Sendable (String) -> [UInt8]?)?
  /// Called now and then with the bytes of the input read so far and those to be read in all, both
  /// passes counted.
  public var progress: (@Sendable (_ done: UInt64, _ total: UInt64) -> Void)?

  /// Everything found out, side files used.
  public init() {}
}
