import Dispatch

/// Hands what is resolved to the judges: at once, or on another thread, in the same order.
///
/// With another thread the events that one resolves are judged while the next are resolved. The
/// trays they lie in go round; one thread fills them, the other empties them, and nobody waits but
/// for a tray. The verdict is the same: the judges see the same events with the same state.
///
/// Sendable because the panel is used only on the queue, or while that is idle.
final class Session: @unchecked Sendable {
  private final class Tray: @unchecked Sendable {
    var batch = ResolvedBatch()
  }

  private var panel: Panel
  private let queue: DispatchQueue?
  private let trays: [Tray]
  private let isFree: DispatchSemaphore
  private var next = 0

  /// Events that are best resolved at a time: few enough to lie in a cache; with another thread,
  /// many enough that the time it takes to wake it matters little.
  var partEvents: Int { queue == nil ? Resolver.partEvents : 16 * Resolver.partEvents }

  init(_ panel: Panel, workers: Int) {
    self.panel = panel
    queue = workers > 1 ? DispatchQueue(label: "tracetool.judge") : nil
    trays = (0..<(workers > 1 ? 4 : 1)).map { _ in Tray() }
    isFree = DispatchSemaphore(value: trays.count)
  }

  /// Has a tray filled and judged.
  func take(isWanted: Bool, _ fill: (inout ResolvedBatch) -> Void) {
    let tray = trays[next]
    guard let queue else {
      fill(&tray.batch)
      panel.take(tray.batch, isWanted: isWanted)
      return
    }
    isFree.wait()
    fill(&tray.batch)
    next = (next + 1) % trays.count
    queue.async { [self] in
      judge(tray, isWanted)
      isFree.signal()
    }
  }

  /// Not inlined: when it returns, nobody holds the batch but the tray.
  @inline(never)
  private func judge(_ tray: Tray, _ isWanted: Bool) {
    panel.take(tray.batch, isWanted: isWanted)
  }

  /// Lets somebody use the panel when it has judged all it was given.
  func finish<Result>(_ body: (inout Panel) -> Result) -> Result {
    guard let queue else { return body(&panel) }
    return queue.sync { body(&panel) }
  }
}
