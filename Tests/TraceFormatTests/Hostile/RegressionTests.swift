import Testing

@testable import TraceFormat

/// What the fuzzer found once, and what it begins with, stays harmless.
@Suite struct RegressionTests {
  /// A folder of inputs and what they must not break.
  enum Target: String, CaseIterable {
    case reader, recover, roundtrip

    /// Inputs that broke it once, and the seeds of the fuzzer that fit.
    var inputs: [[UInt8]] {
      get throws {
        let saved = try TestFiles.contents(of: "Tests/TraceFormatTests/Regressions/\(rawValue)")
        let scripts = try TestFiles.contents(of: "Fuzz/Corpus/roundtrip")
        if self == .roundtrip { return saved + scripts }
        return try saved.map(RegressionTests.current)
          + scripts.map { try RoundTripProperty.make($0).bytes }
      }
    }
  }

  @Test(arguments: Target.allCases)
  func savedInputsBreakNothing(_ target: Target) throws {
    let inputs = try target.inputs
    #expect(inputs.count >= 9)
    let folder = TemporaryFolder()
    for input in inputs {
      switch target {
      case .reader: try ReaderProperty.check(input)
      case .recover: try RecoveryProperty.check(input, in: folder)
      case .roundtrip: try RoundTripProperty.check(input)
      }
    }
  }

  /// Changes anywhere in small traces, with right checksums behind them: a little of what the
  /// fuzzer does, each time.
  @Test(arguments: [UInt64(1), 2])
  func changedSeedsBreakNothing(seed: UInt64) throws {
    var random = SplitMix64(seed: seed)
    let folder = TemporaryFolder()
    let seeds = try TestFiles.contents(of: "Fuzz/Corpus/roundtrip")
    for round in 0..<60 {
      var script = seeds[round % seeds.count]
      Self.change(&script, &random)
      var bytes = try RoundTripProperty.make(script).bytes
      Self.change(&bytes, &random)
      try ReaderProperty.check(bytes)
      try RecoveryProperty.check(bytes, in: folder)
    }
  }

  private static func change(_ bytes: inout [UInt8], _ random: inout SplitMix64) {
    for _ in 0..<Int.random(in: 0...3, using: &random) where !bytes.isEmpty {
      let place = Int.random(in: 0..<bytes.count, using: &random)
      switch Int.random(in: 0...3, using: &random) {
      case 0: bytes.remove(at: place)
      case 1: bytes.insert(UInt8.random(in: 0...255, using: &random), at: place)
      case 2: bytes[place] = [0, 1, 0x7f, 0x80, 0xff].randomElement(using: &random)!
      default: bytes[place] ^= 1 << UInt8.random(in: 0...7, using: &random)
      }
    }
  }

  /// A saved file of an older provisional version, called one of this version: what broke the frame
  /// then is tried on the frame of today.
  private static func current(_ bytes: [UInt8]) -> [UInt8] {
    guard bytes.count >= FormatConstants.fileHeaderBytes else { return bytes }
    var bytes = bytes
    var version: [UInt8] = []
    version.appendLittleEndian(FormatConstants.major)
    version.appendLittleEndian(FormatConstants.minor)
    bytes.replaceSubrange(8..<12, with: version)
    return ChecksumRepair.repaired(bytes)
  }
}
