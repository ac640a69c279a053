extension Event {
  /// Calls `body` with every pfn by which the event names a page table: its object, an argument
  /// that is a pfn, or the load of a callback that is for one table. One that it names twice is
  /// given twice. `kinds` is the table of traits, for a loop that has looked it up before.
  @inline(__always)
  func eachTable(_ kinds: Lane<KindTraits> = KindTraits.table, _ body: (UInt64) -> Void) {
    let traits = kinds[Int(kind.rawValue)]
    if traits.space == .table { body(object) }
    if traits.arg0 == .table { body(arg0) }
    if traits.arg1 == .table { body(arg1) }
    if let table = tableOfCallback { body(table) }
  }

  /// Whether the event names the page table at `frame` (a pfn).
  public func names(table frame: UInt64) -> Bool {
    var found = false
    eachTable { if $0 == frame { found = true } }
    return found
  }

  /// The table a callback of its own is queued or run for.
  @inline(__always)
  var tableOfCallback: UInt64? {
    guard Self.isCallbackForTable(kind, arg0) else { return nil }
    return arg1
  }

  /// Whether a callback event with this function is for one table.
  @inline(__always)
  static func isCallbackForTable(_ kind: EventKind, _ function: UInt64) -> Bool {
    (kind == .callRCU || kind == .callbackStart)
      && (function == UInt64(CallbackFunction.freeDeferred.rawValue)
        || function == UInt64(CallbackFunction.removeTableOne.rawValue))
  }
}
