import TraceFormat

/// What a section does with a table it loaded: lock, compare again, pin.
extension Resolver {
  /// Marks a load of an open section; an event of a section that is not known marks nothing.
  mutating func markLoad(
    _ pfn: UInt64, in section: UInt64, _ mark: (inout SectionLife.Load) -> Void
  ) {
    guard section != 0 else { return }
    let slot = sectionSlots.find(section)
    guard slot >= 0, let index = sections[Int(slot)].loads.lastIndex(where: { $0.pfn == pfn })
    else { return }
    mark(&sections[Int(slot)].loads[index])
  }

  /// Writes the view of an open section, and of its last load of `pfn`, into `resolution`.
  mutating func note(
    section slot: Int32, load pfn: UInt64?, _ resolution: inout Resolution,
    _ output: inout ResolvedDraft
  ) {
    let index = Int(slot)
    var view = SectionView(
      readerClass: sections[index].readerClass, cpu: sections[index].cpu,
      task: sections[index].task, openedAt: sections[index].openedAt)
    if let pfn, let load = sections[index].loads.last(where: { $0.pfn == pfn }) {
      view.loadedAt = load.at
      view.lockedAt = load.lockedAt
      view.recheckedAt = load.recheckedAt
      view.isUnchanged = load.isUnchanged
    }
    if view.readerClass == .gupFast {
      for load in sections[index].loads where load.pinnedAt > load.recheckedAt {
        view.unverifiedPinAt = load.pinnedAt
      }
    }
    resolution.subject = Int32(truncatingIfNeeded: output.sections.count)
    output.sections.append(view)
  }
}
