/// What differs between two traces.
public struct TraceDiff: Sendable {
  /// The trace compared against.
  public let old: TraceProfile
  /// The trace compared.
  public let new: TraceProfile
  /// What moved to another place in the teardown.
  public let moves: [Move]
  /// Teardown paths only one of them took.
  public let paths: [PathChange]
  /// Shapes of life only the old trace has, frequent enough to matter.
  public let vanished: [LifeShape]
  /// Shapes of life only the new trace has, frequent enough to matter.
  public let appeared: [LifeShape]
  /// Lives of shapes only one of them has, too rare to count as a difference.
  public let rare: Int

  /// Something that happens elsewhere in the teardown now.
  public struct Move: Sendable {
    /// What: `destructor` or `ptlock free`.
    public let what: String
    /// Where it mostly happened.
    public let from: Placement
    /// How many tables in the old trace, of how many.
    public let fromCount: Int
    /// Queued tables of the old trace in which it was seen.
    public let fromTotal: Int
    /// Where it mostly happens.
    public let to: Placement
    /// How many tables in the new trace.
    public let toCount: Int
    /// Queued tables of the new trace in which it was seen.
    public let toTotal: Int
    /// Where else it happens in the new trace, with how many tables.
    public let besides: [(placement: Placement, count: Int)]
  }

  /// A teardown path that came or went.
  public struct PathChange: Sendable {
    /// The path in words.
    public let what: String
    /// Tables in the old trace.
    public let old: Int
    /// Tables in the new trace.
    public let new: Int
  }

  /// Anything differs.
  public var isDifferent: Bool {
    !moves.isEmpty || !paths.isEmpty || !vanished.isEmpty || !appeared.isEmpty
  }

  /// Share of a trace's complete lives from which a shape matters.
  static let threshold = 0.01

  /// Compares two profiles.
  public init(old: TraceProfile, new: TraceProfile) {
    self.old = old
    self.new = new
    var moves: [Move] = []
    if let move = Self.move("destructor", old.facts.destructors, new.facts.destructors) {
      moves.append(move)
    }
    if let move = Self.move("ptlock free", old.facts.lockFrees, new.facts.lockFrees) {
      moves.append(move)
    }
    self.moves = moves
    paths = Self.paths(old.facts, new.facts)
    let oldKeys = Set(old.shapes.map(\.key))
    let newKeys = Set(new.shapes.map(\.key))
    let gone = old.shapes.filter { !newKeys.contains($0.key) }
    let came = new.shapes.filter { !oldKeys.contains($0.key) }
    vanished = gone.filter { Self.matters($0, old) }
    appeared = came.filter { Self.matters($0, new) }
    rare =
      gone.filter { !Self.matters($0, old) }.reduce(0) { $0 + $1.count }
      + came.filter { !Self.matters($0, new) }.reduce(0) { $0 + $1.count }
  }

  private static func matters(_ shape: LifeShape, _ profile: TraceProfile) -> Bool {
    Double(shape.count) >= threshold * Double(profile.completeLives)
  }

  /// Places inside a teardown: a table that is freed without being queued is no part of it.
  private static let placements: [Placement] = [
    .beforeQueue, .withoutGracePeriod, .afterGracePeriod, .inCallback,
  ]

  private static func move(_ what: String, _ old: [Int], _ new: [Int]) -> Move? {
    func main(_ counts: [Int]) -> (placement: Placement, count: Int)? {
      placements.map { ($0, counts[Int($0.rawValue)]) }.filter { $0.1 > 0 }
        .max { $0.1 < $1.1 }.map { (placement: $0.0, count: $0.1) }
    }
    guard let from = main(old), let to = main(new), from.placement != to.placement else {
      return nil
    }
    func total(_ counts: [Int]) -> Int {
      placements.reduce(0) { $0 + counts[Int($1.rawValue)] }
    }
    return Move(
      what: what, from: from.placement, fromCount: from.count, fromTotal: total(old),
      to: to.placement, toCount: to.count, toTotal: total(new),
      besides: placements.filter { $0 != to.placement && new[Int($0.rawValue)] > 0 }.map {
        (placement: $0, count: new[Int($0.rawValue)])
      })
  }

  private static func paths(_ old: TraceFacts, _ new: TraceFacts) -> [PathChange] {
    [
      PathChange(
        what: "table path (RCU batch)", old: old.queuedForBatch, new: new.queuedForBatch),
      PathChange(what: "page path (no RCU)", old: old.queuedForPage, new: new.queuedForPage),
      PathChange(what: "no-memory fallback", old: old.fallbacks, new: new.fallbacks),
      PathChange(what: "pte_free_defer", old: old.deferred, new: new.deferred),
    ].filter { ($0.old == 0) != ($0.new == 0) }
  }
}
