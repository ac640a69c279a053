public import TraceFormat

/// Which invariants to judge, and how much to keep.
public struct CheckOptions: Sendable {
  /// Only these invariants; empty = all.
  public var only: [String] = []
  /// Not these.
  public var skip: [String] = []
  /// Exemplars kept per cause.
  public var maxFindings = 3
  /// Whether every finding is kept in brief, beside the exemplars.
  public var keepsAll = false
  /// Ids that must be violated, exactly; nil = none is expected.
  public var expect: [String]?
  /// Vacuous counts as inconclusive.
  public var strict = false
  /// Properties to judge besides the invariants.
  public var models: [Model] = []
  /// Reading ends with the first finding that is not expected.
  public var stopsAtFinding = false
  /// Says which part of the trace is judged; nil for all of it.
  public var scope: String?
  /// Threads that may be used: with two or more, one judges what another has resolved. A check that
  /// ends with its first finding does with one.
  public var workers = 1

  /// Everything, as it comes.
  public init() {}
}

/// Everything `check` has to say about one trace.
public struct CheckResult: Sendable {
  /// What the trace says about itself, complete.
  public let header: TraceHeader
  /// Events read.
  public let events: UInt64
  /// Events known to be lost; a loss nobody counted adds nothing here.
  public let lost: UInt64
  /// The losses, in order.
  public let losses: [Loss]
  /// One judgement per invariant asked for, in the order of their ids.
  public let judgements: [Judgement]
  /// What was counted besides the invariants.
  public let facts: TraceFacts
  /// First and last time stamp.
  public let span: ClosedRange<UInt64>?
  /// Options the check ran with.
  public let options: CheckOptions
  /// The last event that was read, where reading ended with the first finding.
  public let stoppedAt: Ordinal?

  /// A declared loss.
  public struct Loss: Sendable {
    /// Where the hole begins.
    public let ordinal: Ordinal
    /// The `loss` event.
    public let event: Event
  }

  /// Ids of the violated invariants, in order.
  public var violated: [String] {
    judgements.filter { $0.verdict == .violated }.map(\.invariant.id)
  }

  /// 0, 1 or 3, as design and README have it.
  public var exitCode: Int32 {
    if let expected = options.expect {
      if Set(expected) != Set(violated) { return 1 }
    } else if !violated.isEmpty {
      return 1
    }
    let verdicts = judgements.map(\.verdict)
    if verdicts.contains(.inconclusive) { return 3 }
    if options.strict, verdicts.contains(.vacuous) { return 3 }
    // Nothing exercised is not "everything holds".
    return verdicts.contains(.holds) || !violated.isEmpty ? 0 : 3
  }
}

/// Runs the invariants over a trace: decode → resolve → judge.
public struct Checker {
  private let options: CheckOptions

  /// Makes a checker; an unknown id in the options is an error that names the known ones.
  public init(options: CheckOptions = CheckOptions()) throws(TraceError) {
    self.options = options
    let known = InvariantRegistry.all.map { $0.description.id } + options.models.map(\.name)
    for id in options.only + options.skip + (options.expect ?? []) where !known.contains(id) {
      throw TraceError(
        file: id, what: "no such invariant", hint: "known are \(known.joined(separator: ", "))")
    }
  }

  /// Judges `source` from its start to its end, or to the last event that is asked about.
  ///
  /// - Parameters:
  ///   - selection: the events to judge; nil for all. The others are followed, so that the
  ///   state before each event is what it is in the whole, but nothing is said about them. What
  ///   is owed at `quiesce` is asked for if that event is.
  /// - Parameter history: what is known of the events before the first one of `source`.
  public func check(
    _ source: any EventSource, only selection: EventSelection? = nil,
    after history: TraceHistory? = nil
  ) throws -> CheckResult {
    var scope = CheckScope(selection)
    var resolver = Resolver(machine: source.header.machine)
    var panel = Panel(options, source.header)
    if let history { Self.follow(history, &scope, &resolver, &panel) }
    let session = Session(panel, workers: options.stopsAtFinding ? 1 : options.workers)
    var batch = EventBatch()
    var isPast = false
    var first = FirstFinding()
    while try source.next(into: &batch) {
      let wasPast = isPast
      var next = 0
      while next < batch.events.count {
        isPast = isPast || scope.isPast(batch, next)
        if isPast {
          session.finish { $0.takeBack(lateLossesOf: batch, from: next) }
          break
        }
        let part = scope.part(of: batch, from: next, atMost: session.partEvents)
        next = part.places.upperBound
        session.take(isWanted: part.isWanted) { resolver.resolve(batch, part.places, into: &$0) }
      }
      guard options.stopsAtFinding, !wasPast else { continue }
      let hasEnded = session.finish { panel in
        panel.ends(behind: batch, &first, resolver, source.header)
      }
      if hasEnded { break }
    }
    return session.finish { $0.finish(resolver, scope, source.header) }
  }

  /// Takes the events before those that are judged.
  private static func follow(
    _ history: TraceHistory, _ scope: inout CheckScope, _ resolver: inout Resolver,
    _ panel: inout Panel
  ) {
    var resolved = ResolvedBatch()
    for before in history.batches {
      scope.follow(before)
      resolver.resolve(before, into: &resolved)
      panel.take(resolved, isWanted: false)
    }
  }
}
