import Foundation
import Testing

@Suite("--snapshot-every")
struct SnapshotOptionTests {
  private static let record = [
    "record", "-q", "--stage", "S1.sbi", "--events", "12000", "--seed", "4", "-o", "a.ptt",
  ]
  private static let part = ["--ordinal", "9000..9999", "--format", "json", "--all", "a.ptt"]

  /// What was found: how many instances were begun before the part may differ.
  private static func causes(_ run: ToolRun) throws -> NSArray {
    let report = try JSONSerialization.jsonObject(with: Data(run.output.utf8)) as? NSDictionary
    let causes = try #require(report?["causes"] as? NSArray)
    #expect(causes.count > 0)
    return causes
  }

  /// A check of a part says the same from a snapshot, from the start, and of the slice.
  @Test func aPartIsJudgedAlike() throws {
    let scratch = try Scratch()
    func run(_ arguments: [String], _ status: Int32 = 0) throws -> ToolRun {
      let result = try ToolRun.tool(arguments, in: scratch.directory)
      #expect(result.status == status, "\(arguments): \(result.errors)")
      return result
    }
    _ = try run(Self.record)
    let whole = try run(["check", "-v"] + Self.part, 1)
    #expect(whole.output.contains(#""id" : "I13""#))
    _ = try run(["slice", "-q", "a.ptt", "--ordinal", "9000..9999", "-o", "slice.ptt"])

    _ = try run(Self.record + ["--snapshot-every", "4000"])
    #expect(try run(["info", "a.ptt"]).output.contains("3 snapshots"))
    #expect(try run(["info", "--verify", "a.ptt"]).status == 0)
    let fromSnapshot = try run(["check", "-v"] + Self.part, 1)
    #expect(try Self.causes(fromSnapshot) == Self.causes(whole))
    #expect(fromSnapshot.errors.contains("read 1 of 4 blocks"))

    try FileManager.default.removeItem(atPath: scratch.path("a.ptt"))
    try FileManager.default.moveItem(
      atPath: scratch.path("slice.ptt"), toPath: scratch.path("a.ptt"))
    let slice = try run(["check"] + Self.part, 1)
    #expect(try Self.causes(slice) == Self.causes(whole))
  }

  @Test(arguments: ["0", "-1", "x", "", "18446744073709551616"])
  func othersAreRefused(_ interval: String) throws {
    let scratch = try Scratch()
    let arguments = Self.record + ["--snapshot-every=" + interval]
    let result = try ToolRun.tool(arguments, in: scratch.directory)
    #expect(result.status == 2)
    #expect(try scratch.names().isEmpty)
  }
}
