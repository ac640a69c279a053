import TraceFormat

/// Runs every model over a trace, batch by batch, beside the invariants.
struct ModelBench {
  private let models: [Model]
  private let exemplars: Int
  private var runners: [ModelRunner] = []
  private var routers: [EventRouter] = []
  /// Index of the router each runner listens to.
  private var routerOf: [Int] = []
  private var isReady = false
  /// The last event that can have ended a grace period.
  private var lastGracePeriod: KeptEvent?
  private var last: KeptEvent?
  private var interest = KindSet()

  init(_ models: [Model], exemplars: Int) {
    self.models = models
    self.exemplars = exemplars
  }

  /// Takes the next events of a trace from a source with this header.
  ///
  /// - Parameter isWanted: they are judged; others are followed, and nothing is said about them.
  mutating func take(_ batch: ResolvedBatch, header: TraceHeader, isWanted: Bool) {
    guard !models.isEmpty else { return }
    if !isReady { prepare(header) }
    for index in runners.indices { runners[index].isJudging = isWanted }
    for place in batch.events.indices {
      let resolution = batch.resolutions[place]
      if let ender = lastGracePeriod {
        ender.with { tellGracePeriods(resolution.gracePeriodStart, $0) }
        lastGracePeriod = nil
      }
      let kind = batch.events[place].kind
      guard interest.contains(kind) else { continue }
      let event = batch[Int32(truncatingIfNeeded: place)]
      for index in routers.indices {
        hand(routers[index].route(event), to: index, event)
      }
      switch kind {
      case .gracePeriodStart, .gracePeriodEnd, .synchronizeEnd: lastGracePeriod = event.alone
      default: break
      }
    }
    if !batch.events.isEmpty {
      last = batch[Int32(truncatingIfNeeded: batch.events.count - 1)].alone
    }
  }

  private mutating func prepare(_ header: TraceHeader) {
    isReady = true
    for model in models {
      runners.append(ModelRunner(model, header: header, exemplars: exemplars))
    }
    for binding in ObjectBinding.allCases {
      let bound = models.filter { $0.binding == binding }
      guard !bound.isEmpty else { continue }
      let wanted = KindSet(
        bound.flatMap { $0.symbols.flatMap(\.kinds.kinds) }
          .filter { header.capabilities[$0] != nil })
      routers.append(EventRouter(binding, wanted: wanted))
    }
    routerOf = models.map { model in
      routers.firstIndex { $0.binding == model.binding } ?? 0
    }
    // Whatever routes something; the rest of a trace is passed over quickly.
    interest = ObjectBinding.allCases.reduce(KindSet()) { $0.union($1.events) }.union([
      .gatherStart, .gatherFinish, .batchFail, .synchronizeEnd,
    ])
  }

  private mutating func hand(
    _ deliveries: [EventRouter.Delivery], to router: Int, _ event: ResolvedEvent
  ) {
    for delivery in deliveries {
      let life = routers[router].subjects[delivery.subject]
      for index in runners.indices where routerOf[index] == router {
        if let kind = delivery.kind {
          runners[index].take(kind, delivery.subject, life, event)
        } else {
          runners[index].end(delivery.subject, life, event)
        }
      }
    }
  }

  private mutating func tellGracePeriods(_ start: Ordinal, _ event: ResolvedEvent) {
    for index in routers.indices {
      hand(routers[index].gracePeriods(endedBefore: start), to: index, event)
    }
  }

  /// What was concluded in a hole, before it was known, is in doubt.
  mutating func doubt(_ hole: LateHole) {
    for index in runners.indices { runners[index].doubt(hole) }
  }

  /// Candidates that no hole touches.
  var candidates: Int { runners.reduce(0) { $0 + $1.tally.candidates } }

  /// The verdicts as they would be now.
  func decide(_ court: Court) -> [Judgement] { runners.map { court.decide($0) } }

  /// The verdicts, in the order of the models.
  mutating func finish(_ state: Resolver, court: Court) -> [Judgement] {
    if let ender = lastGracePeriod {
      ender.with { tellGracePeriods(state.gracePeriods.lastCompletedStart, $0) }
    }
    if !isReady { prepare(court.header) }
    if let last { last.with { finish($0) } } else { finish(nil) }
    return decide(court)
  }

  private mutating func finish(_ last: ResolvedEvent?) {
    for index in runners.indices {
      runners[index].finish(routers[routerOf[index]].subjects.lives, last)
    }
  }
}
