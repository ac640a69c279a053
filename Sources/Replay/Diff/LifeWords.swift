public import TraceFormat

/// One letter of a life: what happened, and in what company.
public struct LifeToken: Sendable, Hashable {
  /// What happened.
  public let kind: EventKind
  /// Inside an RCU callback.
  public let inCallback: Bool
  /// The first thing to happen to the table after a grace period had passed since it became
  /// unreachable.
  public let afterGracePeriod: Bool

  /// The letter as text.
  public var text: String {
    (afterGracePeriod ? "<gp> " : "") + kind.name + (inCallback ? "@cb" : "")
  }
}

/// Lives as words over events: a tree of prefixes, so that a life in progress is one number.
///
/// Grows with the number of *different* lives, which is small: what differs between two lives
/// that took the same course (addresses, times, CPUs) is not part of the word.
struct LifeWords {
  private struct Edge: Hashable {
    let node: Int32
    let token: LifeToken
  }

  private var children: [Edge: Int32] = [:]
  private var parents: [(parent: Int32, token: LifeToken?)] = [(-1, nil)]

  /// The empty word.
  static let root: Int32 = 0

  /// A life this long is a loop; further letters are dropped.
  private static let maximumNodes = 1 << 20

  mutating func extend(_ node: Int32, by token: LifeToken) -> Int32 {
    let edge = Edge(node: node, token: token)
    if let child = children[edge] { return child }
    guard parents.count < Self.maximumNodes else { return node }
    let child = Int32(truncatingIfNeeded: parents.count)
    parents.append((node, token))
    children[edge] = child
    return child
  }

  func word(_ node: Int32) -> [LifeToken] {
    var tokens: [LifeToken] = []
    var node = node
    while node > 0 {
      let (parent, token) = parents[Int(node)]
      if let token { tokens.append(token) }
      node = parent
    }
    return tokens.reversed()
  }
}
