import TraceFormat

/// Which table's entry points at which: an entry's address lies in the page of the upper table,
/// and the linear map of the machine tells which page that is.
extension Resolver {
  /// Notes the upper table of an install or unlink, and counts the entries on both sides.
  mutating func resolveEntry(
    _ event: Event, _ index: Int, _ resolution: inout Resolution, _ output: inout ResolvedDraft
  ) {
    let isInstall = event.kind == .tableInstall
    let enteredAt = tables[index].entry == event.arg1 ? tables[index].enteredAt : .none
    countEntries(event, index, isInstall)
    if isInstall {
      tables[index].enter(event.arg1, at: position)
    } else if tables[index].entry == event.arg1 {
      tables[index].enteredAt = .none
    }
    guard let page = linearMap?.page(of: event.arg1), event.arg1 != 0 else { return }
    let upper = tableSlot(page)
    guard upper >= 0, Int(upper) != index else { return }
    // The entry was seen to be filled in during this life of the upper table, and is counted.
    let isCounted = enteredAt > tables[Int(upper)].firstAt
    let isShared = event.flags.contains(.shared)
    resolution.upper = Int32(truncatingIfNeeded: output.tables.count)
    output.tables.append(copyOf: Int(upper), in: tables)
    if isInstall {
      guard isShared || !isCounted else { return }
      if tables[Int(upper)].children == 0 { tables[Int(upper)].childAt = position }
      tables[Int(upper)].children &+= 1
    } else if isShared || isCounted, tables[Int(upper)].children > 0 {
      tables[Int(upper)].children &-= 1
    }
  }

  /// Notes the lock of the upper table under which a table is reclaimed.
  mutating func noteUpperLock(
    _ event: Event, _ resolution: inout Resolution, _ output: inout ResolvedDraft
  ) {
    let slot = event.arg0 == 0 ? -1 : lockSlot(event.arg0)
    guard slot >= 0 else { return }
    resolution.subject = Int32(truncatingIfNeeded: output.locks.count)
    output.locks.append(copyOf: Int(slot), in: locks)
  }

  /// Entries that point at the table. Only those of a shared one (E7) add up: of any other, what
  /// was seen last counts, so that one lost event does not count for ever.
  private mutating func countEntries(_ event: Event, _ index: Int, _ isInstall: Bool) {
    let isShared = event.flags.contains(.shared)
    if isInstall {
      tables[index].entries = isShared ? tables[index].entries &+ 1 : 1
    } else {
      tables[index].entries = isShared ? max(0, tables[index].entries &- 1) : 0
    }
    tables[index].installed = tables[index].entries > 0
  }
}
