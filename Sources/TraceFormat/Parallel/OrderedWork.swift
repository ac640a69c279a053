import Dispatch
import Synchronization

/// Jobs that other threads do at the same time, and whose results come in the order the jobs were
/// given in.
///
/// Belongs to one thread, which gives the jobs and takes the results. Whoever lets go of it waits
/// for nothing: jobs that are under way end by themselves.
final class OrderedWork<Output: Sendable> {
  private final class Slot: Sendable {
    let output = Mutex<Output?>(nil)
    let isDone = DispatchSemaphore(value: 0)
  }

  private let queue = DispatchQueue(label: "tracetool.blocks", attributes: .concurrent)
  private var slots: [Slot] = []

  /// Jobs whose results have not been taken.
  var count: Int { slots.count }

  /// Gives a job.
  func add(_ job: @escaping @Sendable () -> Output) {
    let slot = Slot()
    slots.append(slot)
    queue.async {
      let output = job()
      slot.output.withLock { $0 = output }
      slot.isDone.signal()
    }
  }

  /// The result of the oldest job, waiting for it; there must be one.
  func next() -> Output {
    slots[0].isDone.wait()
    return take()
  }

  /// The result of the oldest job, if there is one and it is done.
  func nextIfDone() -> Output? {
    guard slots.first?.isDone.wait(timeout: .now()) == .success else { return nil }
    return take()
  }

  /// The result of the oldest job, which is done.
  private func take() -> Output {
    slots.removeFirst().output.withLock {
      let output = $0!
      $0 = nil
      return output
    }
  }
}

/// Things that are costly to make, lent to one job after the other.
///
/// What is lent has one owner at a time: a thing is taken out by the job that uses it, and given
/// back by it when it does not touch it any more. That is why things need not be Sendable.
final class Lender<Thing>: @unchecked Sendable {
  private let things = Mutex<Shelf>(Shelf())
  private let make: @Sendable () -> Thing

  private struct Shelf: @unchecked Sendable {
    var things: [Thing] = []
  }

  /// A lender of what `make` makes, as many as are needed at the same time.
  init(_ make: @escaping @Sendable () -> Thing) { self.make = make }

  /// Takes a thing out.
  func take() -> Thing { things.withLock { $0.things.popLast() }.map(\.self) ?? make() }

  /// Gives a thing back.
  func giveBack(_ thing: Thing) {
    let shelf = Shelf(things: [thing])
    things.withLock { $0.things += shelf.things }
  }
}
