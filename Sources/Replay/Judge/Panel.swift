import TraceFormat

/// Everything that judges a trace: the invariants, the models, and what is noted for the verdicts.
struct Panel {
  private let options: CheckOptions
  private let header: TraceHeader
  private var seats: [Seat] = []
  private var bench: ModelBench
  private var record = Record()

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

  /// The judges that `options` ask for, of a trace that says `header` of itself before its first
  /// event.
  init(_ options: CheckOptions, _ header: TraceHeader) {
    self.options = options
    self.header = header
    bench = ModelBench(options.models, exemplars: max(1, options.maxFindings))
    for type in InvariantRegistry.all {
      let id = type.description.id
      guard options.only.isEmpty || options.only.contains(id), !options.skip.contains(id) else {
        continue
      }
      var judge: any Invariant = type.init()
      judge.begin(header)
      seats.append(
        Seat(
          description: type.description, judge: judge,
          tally: Tally(exemplars: max(1, options.maxFindings), keepsAll: options.keepsAll)))
    }
  }

  /// Takes the next events.
  ///
  /// - Parameter isWanted: they are judged; others are followed, and nothing is said about them.
  mutating func take(_ batch: ResolvedBatch, isWanted: Bool) {
    let losses = record.note(lossesOf: batch)
    bench.take(batch, header: header, isWanted: isWanted)
    if isWanted {
      for index in seats.indices { seats[index].judge(batch) }
      record.take(batch)
    } else {
      for index in seats.indices { seats[index].learn(batch) }
    }
    takeBack(losses)
  }

  /// Takes events behind those that are judged.
  mutating func takeBack(lateLossesOf batch: EventBatch, from start: Int) {
    takeBack(record.note(lateLossesOf: batch, from: start))
  }

  /// Takes back what was concluded in holes that the trace told of only when they were over.
  private mutating func takeBack(_ losses: ArraySlice<CheckResult.Loss>) {
    for loss in losses {
      guard let hole = LateHole(loss.event, at: loss.ordinal) else { continue }
      for index in seats.indices { seats[index].tally.doubt(hole) }
      bench.doubt(hole)
    }
  }

  /// Whether a check that ends with its first finding ends behind `batch`.
  mutating func ends(
    behind batch: EventBatch, _ first: inout FirstFinding, _ state: Resolver, _ header: TraceHeader
  ) -> Bool {
    let ends = first.ends(
      behind: batch, tellsLate: header.tellsHolesLate, candidates: candidates
    ) { findsSomething(court(state, header)) }
    if ends {
      record.stoppedAt = Ordinal(batch.firstOrdinal) + Ordinal(batch.events.count) - 1
    }
    return ends
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

  private func court(_ state: Resolver, _ header: TraceHeader) -> Court {
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
    mutating func note(lossesOf batch: ResolvedBatch) -> ArraySlice<CheckResult.Loss> {
      let known = losses.count
      for place in batch.places(of: .loss) {
        losses.append(.init(ordinal: batch[place].ordinal, event: batch[place].event))
      }
      return losses[known...]
    }

    /// The same behind the events that are judged, where only holes count that began among them.
    mutating func note(lateLossesOf batch: EventBatch, from start: Int)
      -> ArraySlice<CheckResult.Loss>
    {
      let known = losses.count
      for index in start..<batch.events.count {
        let event = batch.events[index]
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

  /// The verdicts.
  mutating func finish(_ state: Resolver, _ scope: CheckScope, _ header: TraceHeader)
    -> CheckResult
  {
    for index in seats.indices { seats[index].finish(state, scope) }
    let losses = record.losses
    let court = court(state, header)
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
