import Foundation
import TraceFormat

/// `fingerprint --format json`: the same facts as the text, one object.
public struct FingerprintJSON: Encodable {
  let file: String
  let certain: Bool
  let stages: [StageJSON]
  let traits: [String: [AnswerJSON]]
  let reasons: [String]
  let events: Int
  let losses: Int

  struct StageJSON: Encodable {
    let label: String
    let kernels: String
  }

  struct AnswerJSON: Encodable {
    let answer: String
    let count: Int
    /// Places of one example, in order.
    let ordinals: [Int64]
  }

  /// A report on `file`.
  public init(_ fingerprint: Fingerprint, file: String) {
    let seen = fingerprint.traits
    self.file = file
    certain = fingerprint.isCertain
    stages = fingerprint.candidates.map { StageJSON(label: $0.label, kernels: $0.kernels) }
    reasons = fingerprint.reasons
    events = seen.events
    losses = seen.losses
    traits = [
      "path": Self.answers(seen.path), "destructor": Self.answers(seen.destructor),
      "ptlockFree": Self.answers(seen.lockFree), "fallback": Self.answers(seen.fallback),
      "flush": Self.answers(seen.transport), "reclaim": Self.answers(seen.reclaim),
      "ptlock": Self.answers(seen.locks), "upperDestructor": Self.answers(seen.upperDestructor),
    ]
  }

  private static func answers<Answer: RawRepresentable<String>>(
    _ trait: Trait<Answer>
  ) -> [AnswerJSON] {
    trait.answers.map { answer in
      let example = trait.example(answer)
      return AnswerJSON(
        answer: answer.rawValue, count: trait.count(answer),
        ordinals: [example?.fromAt, example?.at].compactMap { $0 }.filter { $0 != .none })
    }
  }

  /// The object as UTF-8, keys sorted, with a line feed at the end.
  public func bytes() throws -> [UInt8] {
    let encoder = JSONEncoder()
    encoder.outputFormatting = [.sortedKeys, .prettyPrinted, .withoutEscapingSlashes]
    return try [UInt8](encoder.encode(self)) + [0x0a]
  }
}
