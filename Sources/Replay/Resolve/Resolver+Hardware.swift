import TraceFormat

/// What the page walker of a CPU knew of the table it reads.
public struct WalkView: Sendable, BitwiseCopyable {
  /// Where this CPU loaded the pointer; ``Ordinal/none`` if that was not seen.
  public var loadedAt: Ordinal = .none
  /// The page has begun another life since.
  public var isForeign = false
}

/// Pointers to tables in the page walkers, by CPU and page.
struct WalkerTracker: Sendable {
  private struct Load {
    var generation: UInt32
    var at: Ordinal
  }

  private var slots = SlotMap()
  private var loads: [Load] = []

  private static func key(_ event: Event) -> UInt64 { event.object << 16 | UInt64(event.cpu) }

  mutating func load(_ event: Event, at position: Ordinal) {
    let load = Load(generation: event.generation, at: position)
    let slot = slots.find(Self.key(event))
    if slot >= 0 {
      loads[Int(slot)] = load
    } else {
      slots.set(Self.key(event), Int32(truncatingIfNeeded: loads.count))
      loads.append(load)
    }
  }

  func view(_ event: Event) -> WalkView {
    let slot = slots.find(Self.key(event))
    guard slot >= 0 else { return WalkView() }
    let load = loads[Int(slot)]
    return WalkView(loadedAt: load.at, isForeign: load.generation != event.generation)
  }
}

extension Resolver {
  /// A load, or a use, of a pointer by a page walker; one ``WalkView`` per use.
  mutating func resolveHardware(
    _ event: Event, _ resolution: inout Resolution, _ output: inout ResolvedDraft
  ) {
    note(table: tableSlot(event.object), &resolution, &output)
    if event.kind == .hardwareLoad {
      walkers.load(event, at: position)
    } else {
      output.walks.append(walkers.view(event))
    }
  }
}
