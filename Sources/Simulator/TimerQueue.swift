/// Sleeping tasks by wake-up time; ties in the order they fell asleep.
struct TimerQueue {
  private struct Entry {
    let time: UInt64
    let number: Int
    let task: KernelTask

    static func < (left: Entry, right: Entry) -> Bool {
      (left.time, left.number) < (right.time, right.number)
    }
  }

  private var heap: [Entry] = []
  private var count = 0

  /// The earliest time, `.max` if there is none.
  var next: UInt64 { heap.first?.time ?? .max }

  mutating func insert(_ task: KernelTask, at time: UInt64) {
    heap.append(Entry(time: time, number: count, task: task))
    count += 1
    var child = heap.count - 1
    while child > 0, heap[child] < heap[(child - 1) / 2] {
      heap.swapAt(child, (child - 1) / 2)
      child = (child - 1) / 2
    }
  }

  /// Removes and returns the earliest task.
  mutating func removeFirst() -> KernelTask {
    let first = heap[0]
    let last = heap.removeLast()
    if !heap.isEmpty {
      heap[0] = last
      siftDown()
    }
    return first.task
  }

  private mutating func siftDown() {
    var parent = 0
    while true {
      var least = parent
      for child in [2 * parent + 1, 2 * parent + 2]
      where child < heap.count && heap[child] < heap[least] {
        least = child
      }
      if least == parent { return }
      heap.swapAt(parent, least)
      parent = least
    }
  }
}
