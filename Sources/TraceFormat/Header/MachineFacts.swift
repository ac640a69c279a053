/// What a producer knows for certain about its machine and its events, beyond their kinds.
///
/// Only what is known is set; a judge that needs a fact which is not set does not apply.
public struct MachineFacts: Codable, Equatable, Sendable {
  /// Names of the table levels that exist in the paging mode (``TableLevel/name``), in any order.
  public var levels: [String]?
  /// Where the kernel's linear map lies: it tells the table an entry's address belongs to.
  public var linearMap: LinearMap?
  /// MAX_TABLE_BATCH: tables that one batch page holds (kernel-facts §2.1).
  public var batchCapacity: UInt64?
  /// ``Event/context`` was observed for each event, and not concluded from other events.
  public var observesContext: Bool?
  /// `call_rcu` stands where the callback entered its CPU's list; a probe at the function's entry
  /// may stand before that, and on another CPU.
  public var observesEnqueue: Bool?
  /// ``FreeFunction`` of a `pt_free` was observed with the free itself, and not joined to it from a
  /// probe on a function that data pages go through, too.
  public var observesFreeFunction: Bool?

  /// The kernel's linear map of physical memory, in pages of 4 KiB.
  public struct LinearMap: Codable, Equatable, Sendable {
    /// Address of the page ``pfn``.
    public var address: UInt64
    /// First page of the map.
    public var pfn: UInt64

    /// A map of the pages from `pfn` on to the addresses from `address` on.
    public init(address: UInt64, pfn: UInt64) {
      self.address = address
      self.pfn = pfn
    }

    /// Page of a mapped address; nil for one below the map.
    public func page(of address: UInt64) -> UInt64? {
      guard address >= self.address else { return nil }
      return pfn &+ (address - self.address) >> 12
    }
  }

  /// Knows nothing.
  public init() {}
}

extension MachineFacts {
  /// What both know, and say alike; nil if that is nothing.
  static func intersection(_ left: MachineFacts?, _ right: MachineFacts?) -> MachineFacts? {
    guard let left, let right else { return nil }
    var result = MachineFacts()
    if left.levels == right.levels { result.levels = left.levels }
    if left.linearMap == right.linearMap { result.linearMap = left.linearMap }
    if left.batchCapacity == right.batchCapacity { result.batchCapacity = left.batchCapacity }
    if left.observesContext == right.observesContext {
      result.observesContext = left.observesContext
    }
    if left.observesEnqueue == right.observesEnqueue {
      result.observesEnqueue = left.observesEnqueue
    }
    if left.observesFreeFunction == right.observesFreeFunction {
      result.observesFreeFunction = left.observesFreeFunction
    }
    return result
  }
}
