import Foundation
import Testing

/// `import --follow`: the same events as an import of the whole, while they come.
@Suite("Following a trace")
struct FollowTests {
  private static let captures = ToolRun.repository.appendingPathComponent("sample-traces/captures")

  private static func verdicts(_ json: Data) throws -> [String: String] {
    let object = try JSONSerialization.jsonObject(with: json) as? [String: Any]
    var verdicts: [String: String] = [:]
    for entry in object?["verdicts"] as? [[String: Any]] ?? [] {
      verdicts[entry["id"] as? String ?? ""] = entry["verdict"] as? String
    }
    return verdicts
  }

  @Test func aStreamIsJudgedAsTheFileIs() throws {
    // One of each way the table dies, with and without holes; `make captures` has the rest.
    let names = [
      "6.12-amd64-small-munmap", "6.12-riscv64-bpf-lost-tiny-buffer",
      "7.2-riscv64-kprobe-lost-pipe",
      "6.12-riscv64-functracer", "chain-S3-aia-small-munmap",
    ]
    var compared = 0
    for name in names {
      let trace = Self.captures.appendingPathComponent("\(name)/trace.txt.zst").path
      guard FileManager.default.fileExists(atPath: trace) else { continue }
      let scratch = try Scratch()
      let whole = try ToolRun.shell(
        """
        zstd -dcq '\(trace)' > t.txt && tracetool import -q t.txt -o a.ptt && \
        tracetool check -q --format json a.ptt
        """, in: scratch.directory)
      let streamed = try ToolRun.shell(
        """
        cat t.txt | tracetool import - --follow -q -o - | tracetool check -q --format json -
        """, in: scratch.directory)
      #expect(streamed.status == whole.status, "\(name): \(streamed.errors)")
      // The function tracer's text is refused by both.
      guard !whole.outputBytes.isEmpty else { continue }
      let expected = try Self.verdicts(whole.outputBytes)
      #expect(try Self.verdicts(streamed.outputBytes) == expected, "\(name)")
      #expect(expected.count > 20)
      compared += 1
    }
    #expect(compared == names.count - 1)
  }

  @Test func whatCannotBeFollowedIsOneLine() throws {
    let scratch = try Scratch()
    let result = try ToolRun.shell(
      """
      mkdir c; echo x > c/trace.txt; tar cf - c | tracetool import - --follow -o out.ptt
      """, in: scratch.directory)
    #expect(result.status == 2)
    #expect(result.errorLines.count == 1)
    #expect(result.errors.contains("cannot be followed"))
    #expect(!(try scratch.names().contains("out.ptt")))
  }

  @Test func aSignalEndsTheStreamAndNothingIsLost() throws {
    let scratch = try Scratch()
    let lines = (0..<3000).map { number in
      "          ptwork-164     [000] .....    12.\(100_000 + number): mm_page_alloc: "
        + "page=0xff1c000002\(String(0x200000 + number * 64, radix: 16)) pfn=0x"
        + "\(String(0x88000 + number, radix: 16)) order=0 migratetype=0 gfp_flags=GFP_KERNEL\n"
    }
    try scratch.file("t.txt", Data(lines.joined().utf8))
    // The pipe stays open: only the signal ends it.
    let result = try ToolRun.shell(
      """
      mkfifo pipe; (cat t.txt; exec sleep 60) > pipe & feeder=$!
      tracetool import - --follow -o out.ptt < pipe 2> err.txt & tool=$!
      sleep 1; kill -TERM $tool; wait $tool; code=$?
      kill -9 $feeder; cat err.txt >&2; exit $code
      """, in: scratch.directory)
    #expect(result.status == 0, "\(result.errors)")
    #expect(result.errors.contains("3000 lines, 3000 of them events"))
    #expect(try ToolRun.tool(["info", scratch.path("out.ptt")]).status == 0)
  }

  /// The stream is endless: only the finding ends it, and what led to it is in the recording.
  @Test func aFindingEndsTheStream() throws {
    let scratch = try Scratch()
    let trace = Self.captures.appendingPathComponent("6.12-riscv64-bpf-small-munmap/trace.txt.zst")
    let result = try ToolRun.shell(
      """
      mkfifo pipe; (zstd -dcq '\(trace.path)'; exec sleep 60) > pipe & feeder=$!
      tracetool import - --follow -q -o - < pipe |
        tracetool check - --stop-on-finding --only I13,I14 --keep 200 --recording oops.ptt \
          --format json
      code=$?; kill -9 $feeder; exit $code
      """, in: scratch.directory)
    #expect(result.status == 1, "\(result.errors)")
    let report = try JSONSerialization.jsonObject(with: result.outputBytes) as? [String: Any]
    let stopped = try #require(report?["stopped_at"] as? Int)
    #expect(report?["file"] as? String == "oops.ptt")
    let finding = try #require((report?["findings"] as? [[String: Any]])?.first)
    #expect((finding["second"] as? [String: Any])?["ordinal"] as? Int ?? .max <= stopped)
    let again = try ToolRun.tool(["check", scratch.path("oops.ptt"), "--only", "I13", "-q"])
    #expect(again.status == 1)
    let info = try ToolRun.tool(["info", scratch.path("oops.ptt")])
    #expect(info.output.contains("events      200"), "\(info.output)")
  }

  @Test func withoutAFindingNothingIsWritten() throws {
    let scratch = try Scratch()
    let trace = Self.captures.appendingPathComponent("7.2-riscv64-fprobe-small-munmap").path
    let result = try ToolRun.tool([
      "check", trace, "--stop-on-finding", "--keep", "5s", "--recording", scratch.path("oops.ptt"),
    ])
    #expect(result.status == 0)
    #expect(result.errors.contains("no finding ended the check"))
    #expect(!(try scratch.names().contains("oops.ptt")))
  }

  /// Compressed, in pieces of any size, and with more on its way than is looked at first.
  @Test(arguments: ["zstd -c", "gzip -c", "cat"]) func compressedStreamsAreRead(_ pack: String)
    throws
  {
    let scratch = try Scratch()
    let trace = Self.captures.appendingPathComponent("7.2-amd64-medium-gup/trace.txt.zst").path
    let result = try ToolRun.shell(
      """
      zstd -dcq '\(trace)' > t.txt; \(pack) < t.txt > t.packed
      tracetool import - --follow -q -o a.ptt < t.packed
      dd if=t.packed bs=777 status=none | tracetool import - --follow -q -o b.ptt
      tracetool import t.txt -q -o c.ptt
      for f in a b c; do tracetool dump $f.ptt --kind pt_dtor,pt_free | wc -l; done
      """, in: scratch.directory)
    let counts = Set(result.output.split(separator: "\n"))
    #expect(counts.count == 1 && counts != ["0"], "\(result.output)\(result.errors)")
  }

  @Test func aDirectoryDoesNotGrow() throws {
    let scratch = try Scratch()
    let result = try ToolRun.tool(
      ["import", scratch.directory.path, "--follow", "-o", scratch.path("a.ptt")])
    #expect(result.status == 2 && result.errors.contains("does not grow"), "\(result.errors)")
    #expect(result.errors.split(separator: "\n").count == 1)
    #expect(!FileManager.default.fileExists(atPath: scratch.path("a.ptt")))
  }
}
