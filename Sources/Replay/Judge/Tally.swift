public import TraceFormat

/// What may be a violation: two places in a trace, and what was missing between them.
public struct Candidate: Sendable {
  /// Place of the event that completed it.
  public var ordinal: Ordinal
  /// Place of the earlier event it rests on; ``Ordinal/none`` = from the start of the life.
  public var since: Ordinal
  /// The event at `ordinal`.
  public var event: Event
  /// The table concerned, as it was before the event.
  public var table: TableLife?
  /// The lock concerned.
  public var lock: LockLife?
  /// The callback concerned.
  public var callback: CallbackLife?
  /// The object of a model, if a model found it.
  public var subject: CandidateSubject?
  /// Only a hole on the event's own CPU can lie between the two.
  var isOfOneCPU = false

  /// The place, as holes see it.
  var moment: Moment {
    Moment(ordinal: ordinal, time: event.time, cpu: isOfOneCPU ? event.cpu : nil)
  }
}

/// Candidates of one cause that stand or fall together.
public struct CandidateGroup: Sendable {
  /// What is wrong, in one phrase.
  public let cause: String
  /// What had to come between the two events and did not, in one phrase; empty if nothing did.
  public let missing: String
  /// Kinds whose absence the candidates rest on: each of them would have shown, or excused, it.
  public let absent: KindSet
  /// A hole in the recording lies between the two events.
  public let overLoss: Bool
  /// One of the two events was concluded, not observed.
  public let isConcluded: Bool
  /// How many there are.
  public internal(set) var count = 0
  /// The first of them.
  public internal(set) var exemplars: [Candidate] = []
  /// When the candidates were met: what a hole that is learnt of later may put in doubt.
  var times = CandidateTimes()
  /// All of them in brief, in the order of the trace; empty unless they were asked for.
  public internal(set) var instances: [Instance] = []

  /// One of many candidates, in brief.
  public struct Instance: Sendable {
    /// Place of the event that completed it.
    public let ordinal: Ordinal
    /// Place of the earlier event; ``Ordinal/none`` = from the start of the life.
    public let since: Ordinal
    /// The object it happened to.
    public let subject: Subject
    /// The same place, as holes see it.
    let moment: Moment

    init(_ candidate: Candidate) {
      ordinal = candidate.ordinal
      since = candidate.since
      subject = Subject(of: candidate)
      moment = candidate.moment
    }

    /// The order of the trace, whatever the batches were.
    static func comesBefore(_ left: Self, _ right: Self) -> Bool {
      (left.ordinal, left.since, left.subject.key) < (right.ordinal, right.since, right.subject.key)
    }
  }

  /// Both groups as one; they have the same cause and differ in what they rest on.
  func joined(with other: CandidateGroup, keeping limit: Int) -> CandidateGroup {
    var result = CandidateGroup(
      cause: cause, missing: missing, absent: absent.union(other.absent), overLoss: overLoss,
      isConcluded: isConcluded)
    result.count = count + other.count
    result.exemplars = Array(
      (exemplars + other.exemplars).sorted { $0.ordinal < $1.ordinal }.prefix(limit))
    result.times = times.joined(with: other.times)
    result.instances = (instances + other.instances).sorted(by: Instance.comesBefore)
    return result
  }
}

/// What one invariant counted in one trace.
public struct Tally: Sendable {
  /// Instances that were decided (triggered and discharged, or violated).
  public var exercised = 0
  /// Instances whose end lies before or after the recording.
  public var pending = 0
  /// Instances that owe nothing, or owe it in another way, by reason.
  public private(set) var exempt: [Exemption: Int] = [:]
  /// Of these, the ones that were put to the test all the same.
  public private(set) var exemptButJudged = 0
  /// Candidates, in no particular order.
  public private(set) var groups: [CandidateGroup] = []
  /// How many exemplars each group keeps.
  let exemplars: Int
  /// Whether every candidate is kept in brief.
  let keepsAll: Bool
  /// Which candidates are asked about; nil for all.
  var wants: (@Sendable (Candidate) -> Bool)?

  init(exemplars: Int, keepsAll: Bool = false) {
    self.exemplars = exemplars
    self.keepsAll = keepsAll
  }

  /// Counts an instance that owes nothing.
  ///
  /// - Parameter judged: it is exercised as well; only what it owes differs (E3).
  public mutating func exempt(_ exemption: Exemption, judged: Bool = false) {
    exempt[exemption, default: 0] += 1
    if judged { exemptButJudged += 1 }
  }

  /// Takes a candidate.
  ///
  /// - Parameters:
  ///   - cause: what is wrong, in one phrase; candidates of one cause are grouped.
  ///   - missing: what had to come in between.
  ///   - event: the event that completed it.
  ///   - since: place of the earlier event; a hole after it makes the candidate inconclusive.
  ///   - absent: kinds whose absence it rests on; empty if it rests on two seen events. A source
  ///     that may miss one of them, or does not record it, makes the candidate inconclusive.
  ///   - concluded: one of the two events was concluded, not observed: inconclusive as well.
  ///   - sameCPU: only a hole on the event's own CPU can lie between the two.
  ///   - subject: the object of the model that found it.
  public mutating func report(
    _ cause: String, missing: String = "", at event: ResolvedEvent, since: Ordinal,
    absent: KindSet = [], concluded: Bool = false, sameCPU: Bool = false, table: TableLife? = nil,
    subject: CandidateSubject? = nil
  ) {
    let isConcluded = concluded || event.event.flags.contains(.inferred)
    let overLoss = sameCPU ? !event.isCPUClean(since: since) : !event.isClean(since: since)
    if let index = group(cause, absent, overLoss, isConcluded), isFull(index, event.ordinal) {
      count(
        in: index,
        Moment(
          ordinal: event.ordinal, time: event.event.time, cpu: sameCPU ? event.event.cpu : nil))
      return
    }
    add(
      cause, missing, absent, isConcluded: isConcluded, overLoss: overLoss,
      Candidate(
        ordinal: event.ordinal, since: since, event: event.event, table: table ?? event.table,
        lock: event.lock, callback: event.callback, subject: subject, isOfOneCPU: sameCPU))
  }

  /// Takes a candidate that was left when nothing might be left; does nothing without `quiesce`.
  mutating func reportLeft(
    _ cause: String, missing: String = "", state: Resolver, at quiescence: Quiescence,
    since: Ordinal, absent: KindSet, table: TableLife? = nil, lock: LockLife? = nil,
    callback: CallbackLife? = nil
  ) {
    guard let event = quiescence.event else { return }
    let clean = (since == .none ? 0 : since) >= quiescence.cleanSince
    add(
      cause, missing, absent, overLoss: !clean,
      Candidate(
        ordinal: quiescence.at, since: since, event: event, table: table, lock: lock,
        callback: callback))
  }

  private mutating func add(
    _ cause: String, _ missing: String, _ absent: KindSet, isConcluded: Bool = false,
    overLoss: Bool, _ candidate: Candidate
  ) {
    if let wants, !wants(candidate) { return }
    let index = place(
      of: CandidateGroup(
        cause: cause, missing: missing, absent: absent, overLoss: overLoss,
        isConcluded: isConcluded))
    count(in: index, candidate.moment)
    if keepsAll {
      groups[index].instances.append(.init(candidate))
    }
    keep(candidate, in: index)
  }

  /// Takes what another tally of the same invariant has counted.
  mutating func add(_ other: Tally, exercised counts: Bool) {
    if counts { exercised += other.exercised }
    pending += other.pending
    exempt.merge(other.exempt) { $0 + $1 }
    exemptButJudged += other.exemptButJudged
    for group in other.groups {
      let index = place(of: group)
      groups[index].count += group.count
      groups[index].times = groups[index].times.joined(with: group.times)
      groups[index].instances += group.instances
      for candidate in group.exemplars { keep(candidate, in: index) }
    }
  }

  /// Index of the group of such candidates, if there is one.
  private func group(
    _ cause: String, _ absent: KindSet, _ overLoss: Bool, _ isConcluded: Bool
  ) -> Int? {
    groups.firstIndex {
      $0.overLoss == overLoss && $0.absent == absent && $0.isConcluded == isConcluded
        && $0.cause == cause
    }
  }

  /// Whether a further candidate of a group, at `ordinal`, would be counted and nothing else.
  private func isFull(_ index: Int, _ ordinal: Ordinal) -> Bool {
    guard wants == nil, !keepsAll, groups[index].exemplars.count == exemplars,
      let last = groups[index].exemplars.last
    else { return false }
    return last.ordinal <= ordinal
  }

  /// Counts a candidate. When it was matters only while no hole is known to touch it.
  private mutating func count(in index: Int, _ moment: Moment) {
    groups[index].count += 1
    if !groups[index].overLoss { groups[index].times.add(moment) }
  }

  /// Candidates that no hole touches.
  var candidates: Int { groups.reduce(0) { $1.overLoss ? $0 : $0 + $1.count } }

  /// What was concluded in a hole, before it was known, is in doubt.
  mutating func doubt(_ hole: LateHole) {
    for index in groups.indices where !groups[index].overLoss {
      let doubted = groups[index].times.remove(in: hole)
      guard doubted.count > 0 else { continue }
      let isDoubted = { (moment: Moment) in moment.lies(in: hole, since: doubted.since) }
      let group = groups[index]
      groups[index].count -= doubted.count
      groups[index].exemplars.removeAll { isDoubted($0.moment) }
      groups[index].instances.removeAll { isDoubted($0.moment) }
      let place = place(
        of: CandidateGroup(
          cause: group.cause, missing: group.missing, absent: group.absent, overLoss: true,
          isConcluded: group.isConcluded))
      groups[place].count += doubted.count
      for candidate in group.exemplars where isDoubted(candidate.moment) {
        keep(candidate, in: place)
      }
      groups[place].instances += group.instances.filter { isDoubted($0.moment) }
    }
    groups.removeAll { $0.count == 0 }
  }

  /// Index of the group like `wanted`, which is made if there is none.
  private mutating func place(of wanted: CandidateGroup) -> Int {
    let index =
      group(wanted.cause, wanted.absent, wanted.overLoss, wanted.isConcluded) ?? groups.count
    if index == groups.count {
      groups.append(
        CandidateGroup(
          cause: wanted.cause, missing: wanted.missing, absent: wanted.absent,
          overLoss: wanted.overLoss, isConcluded: wanted.isConcluded))
    }
    return index
  }

  private mutating func keep(_ candidate: Candidate, in index: Int) {
    // Judges go kind by kind through a batch: the order must not show where batches end.
    let place =
      groups[index].exemplars.lastIndex { $0.ordinal <= candidate.ordinal }.map { $0 + 1 } ?? 0
    guard place < exemplars else { return }
    groups[index].exemplars.insert(candidate, at: place)
    if groups[index].exemplars.count > exemplars { groups[index].exemplars.removeLast() }
  }

  /// The groups by their first candidate, whatever the batches were.
  var orderedGroups: [CandidateGroup] {
    func key(_ group: CandidateGroup) -> (Ordinal, String, Int) {
      (group.exemplars.first?.ordinal ?? .none, group.cause, group.overLoss ? 1 : 0)
    }
    return groups.sorted { key($0) < key($1) }.map {
      var group = $0
      group.instances.sort(by: CandidateGroup.Instance.comesBefore)
      return group
    }
  }
}
