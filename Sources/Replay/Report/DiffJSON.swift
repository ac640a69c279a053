import Foundation
import TraceFormat

/// `diff --format json`: the same facts as the text, one object.
public struct DiffJSON: Encodable {
  let different: Bool
  let moves: [MoveJSON]
  let paths: [PathJSON]
  let vanished: [ShapeJSON]
  let appeared: [ShapeJSON]
  let rare: Int
  let old: ProfileJSON
  let new: ProfileJSON

  struct MoveJSON: Encodable {
    let what: String
    let from: String
    let fromCount: Int
    let fromTotal: Int
    let to: String
    let toCount: Int
    let toTotal: Int
  }

  struct PathJSON: Encodable {
    let path: String
    let old: Int
    let new: Int
  }

  struct ShapeJSON: Encodable {
    let level: String
    let word: [String]
    let count: Int
    let pfn: UInt64
    let generation: UInt32
    let freeOrdinal: Int64
  }

  struct ProfileJSON: Encodable {
    let file: String
    let stage: String?
    let kernel: String?
    let events: Int
    let completeLives: Int
    let cutLives: Int
    let callbacks: Int
    let ipis: Int
    let peakRetainedTables: Int
    let peakUndestructed: Int
    let peakRetainedLocks: Int
    let locksFreedBeforeGracePeriod: Int
    let locksReusedWhilePending: Int
    let unlinkToDestructor: DistanceJSON
    let unlinkToFree: DistanceJSON
  }

  struct DistanceJSON: Encodable {
    let count: Int
    let p50: UInt64?
    let p90: UInt64?
    let max: UInt64
  }

  /// The report on the comparison of two files.
  public init(_ diff: TraceDiff, old: String, new: String) {
    different = diff.isDifferent
    moves = diff.moves.map {
      MoveJSON(
        what: $0.what, from: $0.from.phrase, fromCount: $0.fromCount, fromTotal: $0.fromTotal,
        to: $0.to.phrase, toCount: $0.toCount, toTotal: $0.toTotal)
    }
    paths = diff.paths.map { PathJSON(path: $0.what, old: $0.old, new: $0.new) }
    vanished = diff.vanished.map(ShapeJSON.init)
    appeared = diff.appeared.map(ShapeJSON.init)
    rare = diff.rare
    self.old = ProfileJSON(diff.old, old)
    self.new = ProfileJSON(diff.new, new)
  }

  /// The object as UTF-8, keys sorted, with a line feed at the end.
  public func bytes() throws -> [UInt8] {
    let encoder = JSONEncoder()
    encoder.outputFormatting = [.prettyPrinted, .sortedKeys, .withoutEscapingSlashes]
    return [UInt8](try encoder.encode(self)) + [UInt8(ascii: "\n")]
  }
}

extension DiffJSON.ShapeJSON {
  init(_ shape: LifeShape) {
    level = shape.level.name
    word = shape.word.map(\.text)
    count = shape.count
    pfn = shape.pfn
    generation = shape.generation
    freeOrdinal = shape.freeAt
  }
}

extension DiffJSON.DistanceJSON {
  init(_ histogram: LatencyHistogram) {
    count = histogram.count
    p50 = histogram.percentile(0.5)
    p90 = histogram.percentile(0.9)
    max = histogram.max
  }
}

extension DiffJSON.ProfileJSON {
  init(_ profile: TraceProfile, _ file: String) {
    self.file = file
    stage = profile.header.stage
    kernel = profile.header.kernel
    events = profile.events
    completeLives = profile.completeLives
    cutLives = profile.cutLives
    callbacks = profile.facts.count(of: .callRCU)
    ipis = profile.facts.count(of: .flushAck) + profile.facts.count(of: .ipiSyncAck)
    peakRetainedTables = profile.peakRetainedTables
    peakUndestructed = profile.peakUndestructed
    peakRetainedLocks = profile.peakRetainedLocks
    locksFreedBeforeGracePeriod = profile.facts.locksFreedEarly
    locksReusedWhilePending = profile.facts.locksReusedWhilePending
    unlinkToDestructor = DiffJSON.DistanceJSON(profile.unlinkToDestructor)
    unlinkToFree = DiffJSON.DistanceJSON(profile.unlinkToFree)
  }
}
