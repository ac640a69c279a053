import TraceFormat

/// Address spaces and gathers.
extension Resolver {
  mutating func resolveSpace(
    _ event: Event, _ resolution: inout Resolution, _ output: inout ResolvedDraft
  ) {
    var slot = spaceSlots.find(event.object)
    if slot < 0 {
      slot = Int32(truncatingIfNeeded: spaces.count)
      spaces.append(
        SpaceLife(address: event.object, generation: event.generation, firstAt: position))
      spaceSlots.set(event.object, slot)
    } else {
      resolution.subject = Int32(truncatingIfNeeded: output.spaces.count)
      output.spaces.append(spaces[Int(slot)])
    }
    switch event.kind {
    case .mmNew:
      spaces[Int(slot)] = SpaceLife(
        address: event.object, generation: event.generation, bornInTrace: true, firstAt: position)
    case .mmFree: spaces[Int(slot)].freeAt = position
    case .mmBytes: spaces[Int(slot)].tableBytes &+= Int64(bitPattern: event.arg0)
    default: break
    }
  }

  mutating func resolveGather(
    _ event: Event, _ resolution: inout Resolution, _ output: inout ResolvedDraft
  ) {
    switch event.kind {
    case .gatherStart:
      let slot = gather(at: event.object)
      note(gather: slot, &resolution, &output)
      gathers[Int(slot)] = GatherLife(
        address: event.object, mm: event.arg0, task: event.task, startedAt: position)
      gatherOfTask[event.task] = slot
    case .gatherFinish:
      let slot = gatherSlots.find(event.object)
      note(gather: slot, &resolution, &output)
      note(callback: openBatches[event.task] ?? -1, &resolution, &output)
      if slot >= 0 { gathers[Int(slot)].finishedAt = position }
      gatherOfTask[event.task] = nil
    case .tableQueuePage:
      let slot = gatherSlots.find(event.arg0)
      if slot >= 0 { gathers[Int(slot)].pageQueuedAt = position }
    case .flushEnd:
      if let slot = gatherOfTask[event.task] { gathers[Int(slot)].flushedAt = position }
    case .mmFlushPending:
      guard let slot = gatherOfTask[event.task] else { return }
      gathers[Int(slot)].flushPending &+= Int64(bitPattern: event.arg0)
      gathers[Int(slot)].flushPendingAt = position
    default: break
    }
  }

  private mutating func gather(at address: UInt64) -> Int32 {
    let known = gatherSlots.find(address)
    if known >= 0 { return known }
    let slot = Int32(truncatingIfNeeded: gathers.count)
    gathers.append(GatherLife(address: address))
    gatherSlots.set(address, slot)
    return slot
  }

  private mutating func note(
    gather slot: Int32, _ resolution: inout Resolution, _ output: inout ResolvedDraft
  ) {
    guard slot >= 0 else { return }
    resolution.subject = Int32(truncatingIfNeeded: output.gathers.count)
    output.gathers.append(gathers[Int(slot)])
  }
}
