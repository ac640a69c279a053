import Dispatch

/// What makes a block: its events, and what they are.
struct BlockOrder: Sendable {
  /// Holds the events.
  let bench: BlockBench
  let count: Int
  let texts: BlockTexts
  /// What is known of the block before it is encoded.
  let entry: IndexEntry
}

/// A block as it goes into the file; where is not known yet.
struct PackedBlock: Sendable {
  let bench: BlockBench
  let entry: IndexEntry
  let bytes: [UInt8]
}

/// Room for the events of one block, and what is needed to make one of them.
///
/// Sendable because it has one owner at a time: the writer while it collects events, then the job
/// that makes the block, then the writer again.
final class BlockBench: @unchecked Sendable {
  let events: Lane<Event>
  private let encoder = BlockEncoder()
  private let packer: BlockPacker

  init(_ options: TraceWriter.Options) {
    events = Lane(room: options.blockEvents)
    packer = BlockPacker(codec: options.codec)
  }

  deinit { events.deallocate() }

  /// Makes a block; `number` gives its objects their generations, where the writer numbers them.
  func make(_ order: BlockOrder, number: ((BlockEncoder) -> Void)?) -> PackedBlock {
    let events = events.prefix(order.count)
    let timeBase = order.count > 0 ? events[0].time : 0
    encoder.encode(events, timeBase: timeBase, keepsGenerations: number == nil)
    number?(encoder)
    encoder.setTexts(
      names: order.texts.namesColumn(tasks: encoder.tasks), strings: order.texts.strings)
    var entry = order.entry
    entry.note(encoder.summary)
    let bytes = packer.pack(encoder.columns, timeBase: timeBase, entry: &entry)
    return PackedBlock(bench: self, entry: entry, bytes: bytes)
  }
}

/// Makes blocks, several at a time, and gives them back in order.
final class BlockPipeline {
  /// Blocks that may be under way.
  let workers: Int
  private let options: TraceWriter.Options
  private let work = OrderedWork<PackedBlock>()
  /// Where there is one worker, the block it made.
  private var made: [PackedBlock] = []
  private var benches: [BlockBench] = []
  private let numbering = Numbering()
  /// Tells that the block before has its generations.
  private var turn: DispatchSemaphore?

  /// The generations of a trace. Blocks get theirs one after the other: each waits for the one
  /// before, which is what makes it Sendable.
  private final class Numbering: @unchecked Sendable {
    private var tracker = GenerationTracker()

    func number(_ encoder: BlockEncoder) { encoder.setGenerations(&tracker) }
  }

  init(_ options: TraceWriter.Options) {
    self.options = options
    workers = options.workers
  }

  /// Blocks under way or made, but not taken.
  var count: Int { made.count + work.count }

  /// Room for the events of a block.
  func bench() -> BlockBench { benches.popLast() ?? BlockBench(options) }

  /// Begins to make a block; its bench belongs to it until it is taken.
  func add(_ order: BlockOrder) {
    let numbering = options.keepsGenerations ? nil : numbering
    guard workers > 1 else {
      made.append(order.bench.make(order, number: numbering.map { $0.number }))
      return
    }
    let before = turn
    let after = DispatchSemaphore(value: 0)
    turn = after
    work.add {
      guard let numbering else { return order.bench.make(order, number: nil) }
      return order.bench.make(order) { encoder in
        before?.wait()
        numbering.number(encoder)
        after.signal()
      }
    }
  }

  /// The oldest block; waits for it. There must be one.
  func take() -> PackedBlock { recycled(made.popLast() ?? work.next()) }

  /// The oldest block, if it is there already.
  func takeIfDone() -> PackedBlock? { (made.popLast() ?? work.nextIfDone()).map(recycled) }

  private func recycled(_ block: PackedBlock) -> PackedBlock {
    benches.append(block.bench)
    return block
  }
}
