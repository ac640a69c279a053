/// The object a finding is about: one life of one key.
public struct Subject: Sendable, Hashable {
  /// What kind of thing it is.
  public enum Kind: String, Sendable {
    case table
    case lock
    case callback
    /// No object is known: the place in the trace stands for it.
    case place
  }

  /// What it is.
  public let kind: Kind
  /// pfn, address or ordinal.
  public let key: UInt64
  /// Which life of that key; 0 = alive before the trace began.
  public let generation: UInt32

  /// The subject of a candidate: its table if one is known, else its lock, else its callback.
  public init(of candidate: Candidate) {
    if let table = candidate.table {
      (kind, key, generation) = (.table, table.pfn, table.generation)
    } else if let lock = candidate.lock {
      (kind, key, generation) = (.lock, lock.address, lock.generation)
    } else if let callback = candidate.callback {
      (kind, key, generation) = (.callback, callback.head, callback.generation)
    } else {
      (kind, key, generation) = (.place, UInt64(max(0, candidate.ordinal)), 0)
    }
  }

  /// `0x88fb5#1`; `#176` for a place.
  public var reference: String {
    kind == .place ? "#\(key)" : "\(Figures.hex(key))#\(generation)"
  }

  /// In words, without what else is known of it: `table pfn 0x88fb5#1`.
  public var phrase: String {
    switch kind {
    case .table: "table pfn \(reference)"
    case .lock: "ptlock \(reference)"
    case .callback: "callback \(reference)"
    case .place: "event \(reference)"
    }
  }
}
