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
  private var seats: [Seat] = []
  private var bench: ModelBench

  /// One judge with what it has counted.
  private struct Seat {
    let description: InvariantDescription
    var judge: any Invariant
    var tally: Tally

    mutating func judge(_ batch: ResolvedBatch) { judge.judge(batch, into: &tally) }

    /// Shows the judge events it has to know of and nobody asked about.
    mutating func learn(_ batch: ResolvedBatch) {
      var ignored = Tally(exemplars: 0)
      judge.judge(batch, into: &ignored)
    }

    mutating func finish(_ state: Resolver, _ scope: CheckScope) {
      var end = Tally(exemplars: tally.exemplars, keepsAll: tally.keepsAll)
      end.wants = scope.wants
      judge.finish(state, into: &end)
      tally.add(end, exercised: scope.includesQuiesce)
    }
  }

  /// Makes a checker; an unknown id in the options is an error that names the known ones.
  public init(options: CheckOptions = CheckOptions()) throws(TraceError) {
    self.options = options
    bench = ModelBench(options.models, exemplars: max(1, options.maxFindings))
    let known = InvariantRegistry.all.map { $0.description.id } + options.models.map(\.name)
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

  /// Judges `source` from its start to its end, or to the last event that is asked about.
  ///
  /// - Parameters:
  ///   - selection: the events to judge; nil for all. The others are followed, so that the
  ///   state before each event is what it is in the whole, but nothing is said about them. What
  ///   is owed at `quiesce` is asked for if that event is.
  /// - Parameter history: what is known of the events before the first one of `source`.
  public mutating func check(
    _ source: any EventSource, only selection: EventSelection? = nil,
    after history: TraceHistory? = nil
  ) throws -> CheckResult {
    var scope = CheckScope(selection)
    var resolver = Resolver(machine: source.header.machine)
    for index in seats.indices { seats[index].judge.begin(source.header) }
    var batch = EventBatch()
    var resolved = ResolvedBatch()
    var record = Record()
    for before in history?.batches ?? [] {
      scope.follow(before)
      resolver.resolve(before, into: &resolved)
      record.note(lossesOf: resolved)
      bench.take(resolved, header: source.header, isWanted: false)
      for index in seats.indices { seats[index].learn(resolved) }
    }
    var isPast = false
    var first = FirstFinding()
    while try source.next(into: &batch) {
      guard !isPast else {
        takeBack(record.note(lateLossesOf: batch))
        continue
      }
      var next = 0
      while next < batch.events.count {
        let part = scope.part(of: batch, from: next, atMost: Resolver.partEvents)
        next = part.places.upperBound
        resolver.resolve(batch, part.places, into: &resolved)
        let losses = record.note(lossesOf: resolved)
        bench.take(resolved, header: source.header, isWanted: part.isWanted)
        if part.isWanted {
          for index in seats.indices { seats[index].judge(resolved) }
          record.take(resolved)
        } else {
          for index in seats.indices { seats[index].learn(resolved) }
        }
        takeBack(losses)
      }
      isPast = scope.isPast(batch)
      guard options.stopsAtFinding else { continue }
      let ends = first.ends(
        behind: batch, tellsLate: source.header.tellsHolesLate, candidates: candidates
      ) { findsSomething(court(record, resolver, source.header)) }
      if ends {
        record.stoppedAt = Ordinal(batch.firstOrdinal) + Ordinal(batch.events.count) - 1
        break
      }
    }
    for index in seats.indices { seats[index].finish(resolver, scope) }
    return result(record, resolver, source.header)
  }

  /// Takes back what was concluded in holes that the trace told of only when they were over.
  private mutating func takeBack(_ losses: ArraySlice<CheckResult.Loss>) {
    for loss in losses {
      guard let hole = LateHole(loss.event, at: loss.ordinal) else { continue }
      for index in seats.indices { seats[index].tally.doubt(hole) }
      bench.doubt(hole)
    }
  }

  /// Candidates that no hole touches.
  private var candidates: Int {
    seats.reduce(bench.candidates) { $0 + $1.tally.candidates }
  }

  /// Whether something is violated by now that is not expected.
  private func findsSomething(_ court: Court) -> Bool {
    let expected = options.expect ?? []
    let judgements = seats.filter { $0.tally.candidates > 0 }.map {
      court.decide($0.description, $0.tally)
    }
    return (judgements + bench.decide(court)).contains {
      $0.verdict == .violated && !expected.contains($0.invariant.id)
    }
  }

  private func court(_ record: Record, _ state: Resolver, _ header: TraceHeader) -> Court {
    Court(
      header: header, facts: record.gatherer.finish(state), losses: record.losses, options: options)
  }

  /// What is noted of the events that are judged.
  private struct Record {
    var count: UInt64 = 0
    var span: ClosedRange<UInt64>?
    var gatherer = FactGatherer()
    /// All that were met, judged or not.
    var losses: [CheckResult.Loss] = []
    /// Where the check ended with its first finding.
    var stoppedAt: Ordinal?

    /// Notes the losses of a batch, and returns them.
    @discardableResult
    mutating func note(lossesOf batch: ResolvedBatch) -> ArraySlice<CheckResult.Loss> {
      let known = losses.count
      for place in batch.places(of: .loss) {
        losses.append(.init(ordinal: batch[place].ordinal, event: batch[place].event))
      }
      return losses[known...]
    }

    /// The same behind the events that are judged, where only holes count that began among them.
    mutating func note(lateLossesOf batch: EventBatch) -> ArraySlice<CheckResult.Loss> {
      let known = losses.count
      for (index, event) in batch.events.enumerated() {
        guard let since = event.holeSince, let span, since <= span.upperBound else { continue }
        losses.append(
          .init(ordinal: Ordinal(batch.firstOrdinal) + Ordinal(index), event: event))
      }
      return losses[known...]
    }

    mutating func take(_ batch: ResolvedBatch) {
      gatherer.take(batch)
      guard let first = batch.events.first else { return }
      var (low, high) = span.map { ($0.lowerBound, $0.upperBound) } ?? (first.time, first.time)
      for event in batch.events {
        low = min(low, event.time)
        high = max(high, event.time)
      }
      span = low...high
      count += UInt64(batch.events.count)
    }
  }

  private mutating func result(_ record: Record, _ state: Resolver, _ header: TraceHeader)
    -> CheckResult
  {
    let losses = record.losses
    let court = court(record, state, header)
    return CheckResult(
      header: header, events: record.count,
      lost: losses.reduce(0) {
        $1.event.arg0 == Event.unknownCount ? $0 : $0 &+ $1.event.arg0
      },
      losses: losses,
      judgements: seats.map { court.decide($0.description, $0.tally) }
        + bench.finish(state, court: court),
      facts: court.facts, span: record.span, options: options, stoppedAt: record.stoppedAt)
  }
}
