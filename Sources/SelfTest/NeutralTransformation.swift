import Simulator
import TraceFormat

/// A change after which everything must be judged as before.
struct NeutralTransformation: Sendable {
  /// `stretch-time`.
  let name: String
  /// What it does, in one line.
  let summary: String
  /// Changes the events; false if there is nothing to change.
  let apply: @Sendable (inout Specimen, inout SplitMix64) -> Bool

  init(
    _ name: String, _ summary: String,
    _ apply: @escaping @Sendable (inout Specimen, inout SplitMix64) -> Bool
  ) {
    self.name = name
    self.summary = summary
    self.apply = apply
  }

  /// Every transformation.
  static let all: [NeutralTransformation] = renumberings + insertedExceptions
}

extension NeutralTransformation {
  /// The same run under other names, at other times, in another order of what has none.
  static let renumberings: [NeutralTransformation] = [
    .init("stretch-time", "every time is tripled and moved") { specimen, random in
      let offset = UInt64.random(in: 0...1_000_000_000, using: &random)
      for index in specimen.events.indices {
        specimen.change(index) { $0.time = $0.time &* 3 &+ offset }
      }
      return true
    },
    .init("tie-times", "every time is the same: order is the ordinal's business") { specimen, _ in
      for index in specimen.events.indices { specimen.change(index) { $0.time = 7 } }
      return true
    },
    .init("renumber-tasks", "tasks get other ids") { specimen, random in
      let key = UInt32.random(in: 1...1_000, using: &random) << 10
      for index in specimen.events.indices {
        specimen.change(index) { if $0.task != 0 { $0.task ^= key } }
      }
      return true
    },
    .init("move-readers", "reader sections get other numbers") { specimen, random in
      let offset = UInt64.random(in: 1...1_000_000, using: &random) << 20
      for index in specimen.events.indices {
        specimen.change(index) { event in
          let fields = event.kind.fields
          if fields.space == .reader { event.object &+= offset }
          if fields.arg0.name == "section", event.arg0 != 0 { event.arg0 &+= offset }
          if fields.arg1.name == "section", event.arg1 != 0 { event.arg1 &+= offset }
        }
      }
      return true
    },
    .init("move-mms", "address spaces and gathers lie elsewhere") { specimen, random in
      let key = UInt64.random(in: 1...0xffff, using: &random) << 12
      for index in specimen.events.indices {
        specimen.change(index) { event in
          let fields = event.kind.fields
          if fields.space == .mm || fields.space == .gather { event.object ^= key }
          if ["mm", "child", "gather"].contains(fields.arg0.name), event.arg0 != 0 {
            event.arg0 ^= key
          }
          if ["mm", "child", "gather"].contains(fields.arg1.name), event.arg1 != 0 {
            event.arg1 ^= key
          }
        }
      }
      return true
    },
    .init("move-locks", "lock objects lie elsewhere") { specimen, random in
      let key = UInt64.random(in: 1...0xffff, using: &random) << 6
      var isThere = false
      for index in specimen.events.indices where specimen.events[index].kind.fields.space == .lock {
        specimen.change(index) { $0.object ^= key }
        isThere = true
      }
      for index in specimen.events.indices where specimen.events[index].kind == .tableReclaim {
        specimen.change(index) { if $0.arg0 != 0 { $0.arg0 ^= key } }
      }
      return isThere
    },
    .init("swap-independent", "neighbours that have nothing in common change places") {
      specimen, random in
      var swapped = 0
      for index in specimen.events.indices.dropLast()
      where Bool.random(using: &random) {
        if specimen.areIndependent(index, index + 1) {
          specimen.move([index + 1], before: index)
          swapped += 1
        }
      }
      return swapped > 0
    },
  ]
}

extension Specimen {
  /// Kinds whose place is part of what they say: between two of them, order means something.
  private static let anchors: Set<EventKind> = [
    .gracePeriodStart, .gracePeriodEnd, .callRCU, .callbackStart, .callbackEnd, .quiesce,
    .barrierStart, .barrierEnd, .synchronizeStart, .synchronizeEnd, .loss, .lossEnd,
    .callbackRunStart, .callbackRunEnd,
  ]

  /// Whether two events may change places: other CPU, other task, no object in common, and neither
  /// of a kind that orders everything.
  fileprivate func areIndependent(_ first: Int, _ second: Int) -> Bool {
    let (one, other) = (events[first], events[second])
    guard one.cpu != other.cpu, one.task != other.task else { return false }
    // Only what happens to tables and locks themselves: the rest (flushes, acknowledgements, readers
    // of a shared upper table) is ordered by more than its own names.
    let spaces: Set<ObjectSpace> = [.table, .lock]
    guard spaces.contains(one.kind.fields.space), spaces.contains(other.kind.fields.space),
      !Self.anchors.contains(one.kind), !Self.anchors.contains(other.kind)
    else { return false }
    let names = Set([one.object, one.arg0, one.arg1].filter { $0 > 1 })
    return names.isDisjoint(with: [other.object, other.arg0, other.arg1].filter { $0 > 1 })
  }
}
