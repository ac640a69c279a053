import Foundation
import Testing

/// Tools/bisect/run under a real `git bisect`, with recordings in place of a build and a boot.
@Suite("Bisecting")
struct BisectTests {
  /// A repository of seven revisions; `early` of them name a kernel with early destructors.
  private static func repository(_ scratch: Scratch, early: Int) throws {
    let captures = ToolRun.repository.appendingPathComponent("sample-traces/captures").path
    let result = try ToolRun.shell(
      """
      git init -q tree && cd tree && git config user.name t && git config user.email t@example.org
      for n in 1 2 3 4 5 6 7; do
        stage=S3; [ $n -gt \(early) ] || stage=S1
        echo '\(captures)'/chain-$stage-small-munmap/trace.txt.zst > trace; echo $n > number
        [ $n != 4 ] || echo nowhere > trace
        git add . && git commit -qm "revision $n" && git tag v$n
      done
      """, in: scratch.directory)
    #expect(result.status == 0, "\(result.errors)")
  }

  private static func bisect(_ scratch: Scratch, _ commands: String) throws -> ToolRun {
    let script = ToolRun.repository.appendingPathComponent("Tools/bisect/run").path
    return try ToolRun.shell(
      """
      cd tree; export TRACETOOL="$(command -v tracetool)" RECORD='cp "$(cat trace)" "$CAPTURE"' BUILD=true
      run='\(script)'
      \(commands)
      """, in: scratch.directory)
  }

  @Test func theFixIsFound() throws {
    let scratch = try Scratch()
    try Self.repository(scratch, early: 2)
    let result = try Self.bisect(
      scratch,
      """
      git bisect start --term-old=early --term-new=late && git bisect early v1 && git bisect late v7
      git bisect run "$run" --expect I13,I14
      git log -1 --format=found:%s refs/bisect/late
      ls .git/tracetool/*/verdict.txt | wc -l
      """)
    #expect(result.output.contains("found:revision 3"), "\(result.output)\(result.errors)")
    #expect(result.errors.contains("RECORD failed"), "revision 4 has no recording: it is skipped")
  }

  @Test func theCulpritIsFound() throws {
    let scratch = try Scratch()
    try Self.repository(scratch, early: 2)
    let result = try Self.bisect(
      scratch,
      """
      for n in 8 9; do
        git show v1:trace > trace; echo $n > number; git commit -qam "revision $n"; git tag v$n
      done
      git bisect start v9 v5 && git bisect run "$run" --only I13,I14
      git log -1 --format=found:%s refs/bisect/bad
      """)
    #expect(result.output.contains("found:revision 8"), "\(result.output)\(result.errors)")
  }

  @Test func aWrongOptionStopsIt() throws {
    let scratch = try Scratch()
    try Self.repository(scratch, early: 2)
    let result = try Self.bisect(scratch, "\"$run\" --only I99; echo code=$?")
    #expect(result.output.contains("code=128"), "\(result.output)\(result.errors)")
    let missing = try Self.bisect(scratch, "TRACETOOL=/nowhere \"$run\"; echo code=$?")
    #expect(missing.output.contains("code=128"))
    // Whatever else goes wrong on this machine is not the revision's fault either.
    let unwritable = try Self.bisect(scratch, "OUT=/dev/null/out \"$run\"; echo code=$?")
    #expect(unwritable.output.contains("code=128"), "\(unwritable.output)\(unwritable.errors)")
  }
}
