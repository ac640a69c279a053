import TraceFormat

/// Picks the events of one table's life, or lives, out of a trace: table, lock and callback.
public struct TableStory {
  private let pfn: UInt64
  private let generation: UInt32?

  /// The story of the table at `pfn`; of all its lives, or of one.
  public init(pfn: UInt64, generation: UInt32?) {
    self.pfn = pfn
    self.generation = generation
  }

  /// Whether an event belongs to the story, given the state just after it.
  public func includes(_ event: ResolvedEvent, after state: Resolver) -> Bool {
    let fields = event.event.kind.fields
    switch fields.space {
    case .table:
      return event.event.object == pfn
        && (generation == nil || event.event.generation == generation)
    case .lock:
      // The table of a lock event is named by an argument; its life is the current one.
      guard event.table?.pfn == pfn || (event.event.arg0 == pfn && fields.startsGeneration) else {
        return false
      }
      return generation == nil || state.table(pfn: pfn)?.generation == generation
    case .callback:
      guard let life = state.table(pfn: pfn), life.callback >= 0,
        generation == nil || life.generation == generation
      else { return false }
      let serial = life.callbackSerial
      return state.callbacks[Int(life.callback)].serial == serial
        && (event.callback?.serial == serial
          || state.callbacks[Int(life.callback)].queuedAt == event.ordinal)
    default: return false
    }
  }
}
