import Glibc

@testable import TraceFormat

/// What can be fuzzed; `FUZZ_TARGET` in the environment names one.
enum Target: String, CaseIterable {
  /// Crashes for one input alone, to prove that the fuzzer sees coverage and reports crashes.
  case canary
  /// Finds nothing: writes the trace each script makes into the folder `FUZZ_SEEDS`.
  case seeds
  case reader
  case recover
  case roundtrip
  case judge
  case `import`

  /// The one asked for. There is no default: the corpora differ.
  static let chosen: Target = {
    guard let name = unsafe getenv("FUZZ_TARGET").map({ unsafe String(cString: $0) }),
      let target = Target(rawValue: name)
    else { fatalError("set FUZZ_TARGET to one of \(allCases.map(\.rawValue))") }
    return target
  }()

  func run(_ bytes: [UInt8]) throws {
    switch self {
    case .canary: Canary.run(bytes)
    case .seeds: try Seeds.write(bytes)
    case .reader: try ReaderProperty.check(bytes)
    case .recover: try unsafe RecoveryProperty.check(bytes, in: Scratch.folder)
    case .roundtrip: try RoundTripProperty.check(bytes)
    case .judge: try JudgeProperty.check(bytes)
    case .import: try ImportProperty.check(bytes)
    }
  }
}

/// A folder for the inputs and outputs of recovery, one for the whole run.
private enum Scratch {
  nonisolated(unsafe) static let folder = TemporaryFolder()
}

/// Trace files to begin with, named by the scripts they come from.
private enum Seeds {
  static func write(_ script: [UInt8]) throws {
    guard let folder = unsafe getenv("FUZZ_SEEDS").map({ unsafe String(cString: $0) }) else {
      fatalError("set FUZZ_SEEDS to a folder")
    }
    let name = script.reduce(UInt32(5381)) { $0 &* 33 &+ UInt32($1) }
    let output = try AtomicOutput(path: "\(folder)/\(name).ptt")
    try output.write(RoundTripProperty.make(script).bytes)
    try output.commit()
  }
}

/// Found only by a fuzzer that is told which branches a byte opens: a door behind a door, no loop.
enum Canary {
  @inline(never)
  static func run(_ bytes: [UInt8]) {
    guard bytes.count >= 4 else { return }
    if bytes[0] == 0x70 {
      if bytes[1] == 0x61 {
        if bytes[2] == 0x67 {
          if bytes[3] == 0x65 { fatalError("the canary is dead, as it should be") }
        }
      }
    }
  }
}

/// The entry libFuzzer calls for each input.
@_cdecl("LLVMFuzzerTestOneInput")
public func testOneInput(_ start: UnsafePointer<UInt8>?, _ count: Int) -> CInt {
  let bytes = unsafe [UInt8](UnsafeBufferPointer(start: start, count: count))
  do {
    try Target.chosen.run(bytes)
  } catch {
    fatalError("\(Target.chosen.rawValue): \(error)")
  }
  return 0
}
