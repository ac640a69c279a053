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
  private var seats: [Seat] = []

  /// One judge with what it has counted.
  private struct Seat {
    let description: InvariantDescription
    var judge: any Invariant
    var tally: Tally

    mutating func judge(_ batch: ResolvedBatch) { judge.judge(batch, into: &tally) }
    mutating func finish(_ state: Resolver) { judge.finish(state, into: &tally) }
  }

  /// Makes a checker; an unknown id in the options is an error that names the known ones.
  public init(options: CheckOptions = CheckOptions()) throws(TraceError) {
    self.options = options
    let known = InvariantRegistry.all.map { $0.description.id }
    for id in options.only + options.skip + (options.expect ?? []) where !known.contains(id) {
      throw TraceError(
        file: id, what: "no such invariant", hint: "known are \(known.joined(separator: ", "))")
    }
    for type in InvariantRegistry.all {
      let id = type.description.id
      guard options.only.isEmpty || options.only.contains(id), !options.skip.contains(id) else {
        continue
      }
      seats.append(
        Seat(
          description: type.description, judge: type.init(),
          tally: Tally(exemplars: max(1, options.maxFindings), keepsAll: options.keepsAll)))
    }
  }

  /// Judges `source` from its start to its end.
  public mutating func check(_ source: any EventSource) throws -> CheckResult {
    var resolver = Resolver()
    var batch = EventBatch()
    var resolved = ResolvedBatch()
    var count: UInt64 = 0
    var losses: [CheckResult.Loss] = []
    var span: ClosedRange<UInt64>?
    var gatherer = FactGatherer()
    while try source.next(into: &batch) {
      resolver.resolve(batch, into: &resolved)
      for index in seats.indices { seats[index].judge(resolved) }
      gatherer.take(resolved)
      for place in resolved.places(of: .loss) {
        losses.append(
          .init(ordinal: resolved.firstOrdinal + Ordinal(place), event: resolved[place].event))
      }
      for event in batch.events {
        let low = min(span?.lowerBound ?? event.time, event.time)
        span = low...max(span?.upperBound ?? event.time, event.time)
      }
      count += UInt64(batch.events.count)
    }
    for index in seats.indices { seats[index].finish(resolver) }
    let facts = gatherer.finish(resolver)
    let court = Court(header: source.header, facts: facts, losses: losses, options: options)
    return CheckResult(
      header: source.header, events: count,
      lost: losses.reduce(0) {
        $1.event.arg0 == Event.unknownCount ? $0 : $0 &+ $1.event.arg0
      },
      losses: losses, judgements: seats.map { court.decide($0.description, $0.tally) },
      facts: facts, span: span, options: options)
  }
}
