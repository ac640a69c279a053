/// What a user may say about an import.
public struct ImportOptions: Sendable {
  /// Number of the statistic that counts page tables (`NR_PAGETABLE`), where the probes print
  /// other statistics too; nil finds it out (38 in every kernel read so far, kernel-facts §8.1).
  public var nrPageTable: UInt64?
  /// Whether the files beside a capture (`stats.txt`, `kprobe_profile.txt` …) are read.
  public var sideFiles = true
  /// Kernel release to note in the header.
  public var kernel: String?
  /// Architecture (`riscv64`, `x86_64`, `arm64`); nil finds it out.
  public var arch: String?
  /// Stage label to note in the header; an importer never guesses it.
  public var stage: String?
  /// Name and version of the program, for the header.
  public var producer = "tracetool"

  /// Called now and then with the bytes of the input read so far and those to be read in all, both
  /// passes counted.
  public var progress: (@Sendable (_ done: UInt64, _ total: UInt64) -> Void)?

  /// Everything found out, side files used.
  public init() {}
}
