import Testing

@testable import Interop

/// Texts the fuzzer broke the importer with once, and those it begins with, stay harmless.
@Suite struct ImportRegressionTests {
  private static let folders = ["Tests/InteropTests/Regressions", "Fuzz/Corpus/import"]

  private static let repository: String = {
    var parts = #filePath.split(separator: "/", omittingEmptySubsequences: false)
    parts.removeLast(4)
    return parts.joined(separator: "/")
  }()

  private static func inputs() throws -> [[UInt8]] {
    try folders.flatMap { folder in
      let path = "\(repository)/\(folder)"
      return try TemporaryFile.entries(of: path).map {
        try TemporaryFile.bytes(of: "\(path)/\($0)")
      }
    }
  }

  @Test func savedTextsBreakNothing() throws {
    let inputs = try Self.inputs()
    #expect(inputs.count >= 7)
    for input in inputs { try ImportProperty.check(input) }
  }

  /// Lines cut, doubled, exchanged, and bytes changed in them.
  @Test(arguments: [UInt64(1), 2])
  func changedTextsBreakNothing(seed: UInt64) throws {
    var random = SplitMix64(seed: seed)
    let inputs = try Self.inputs()
    for round in 0..<60 {
      var text = inputs[round % inputs.count]
      for _ in 0..<5 where !text.isEmpty {
        let place = random.below(text.count)
        let end = min(text.count, place + random.below(300))
        switch random.below(4) {
        case 0: text.removeSubrange(place..<end)
        case 1: text.insert(contentsOf: text[place..<end], at: random.below(text.count))
        case 2: text[place] = UInt8(random.below(256))
        default: text[place] = [0x30, 0x66, 0x20, 0x3D, 0x0A, 0x39][random.below(6)]
        }
      }
      try ImportProperty.check(text)
    }
  }
}
