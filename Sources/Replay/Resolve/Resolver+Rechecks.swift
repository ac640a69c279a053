import TraceFormat

/// What a section does with a table it loaded: lock, compare again, pin.
extension Resolver {
  /// Marks a load of an open section; an event of a section that is not known marks nothing.
  mutating func markLoad(
    _ pfn: UInt64, in section: UInt64, _ mark: (inout SectionLife.Load) -> Void
  ) {
    guard section != 0 else { return }
    let slot = sectionSlots.find(section)
    guard slot >= 0, sections[Int(slot)].isOpen,
      let index = sections[Int(slot)].loads.lastIndex(where: { $0.pfn == pfn })
    else { return }
    mark(&sections[Int(slot)].loads[index])
  }

  /// Writes the view of an open section, and of its last load of `pfn`, into `resolution`.
  func note(
    section slot: Int32, load pfn: UInt64?, _ resolution: inout Resolution,
    _ output: inout ResolvedBatch
  ) {
    let life = sections[Int(slot)]
    var view = SectionView(
      readerClass: life.readerClass, cpu: life.cpu, task: life.task, openedAt: life.openedAt)
    if let pfn, let load = life.loads.last(where: { $0.pfn == pfn }) {
      view.loadedAt = load.at
      view.lockedAt = load.lockedAt
      view.recheckedAt = load.recheckedAt
      view.isUnchanged = load.isUnchanged
    }
    if life.readerClass == .gupFast {
      for load in life.loads where load.pinnedAt > load.recheckedAt {
        view.unverifiedPinAt = load.pinnedAt
      }
    }
    resolution.subject = Int32(truncatingIfNeeded: output.sections.count)
    output.sections.append(view)
  }
}
