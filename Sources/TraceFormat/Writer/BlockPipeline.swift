import Dispatch

/// Makes blocks, several at a time, and gives them back in order.
final class BlockPipeline {
  /// Blocks that may be under way.
  let workers: Int
  private let options: TraceWriter.Options
  private let work = OrderedWork<PackedBlock>()
  /// Makes blocks where there is one worker, and the block it made.
  private lazy var maker = BlockMaker(options)
  private var made: [PackedBlock] = []
  /// Make blocks where there are more.
  private let makers: Lender<BlockMaker>
  private var rooms: [EventRoom] = []
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
    makers = Lender { BlockMaker(options) }
  }

  /// Blocks under way or made, but not taken.
  var count: Int { made.count + work.count }

  /// Room for events: for a whole block where another thread encodes it, else for so few that they
  /// are still in a core's own cache when they are encoded.
  func room() -> EventRoom {
    rooms.popLast() ?? EventRoom(workers > 1 ? options.blockEvents : min(options.blockEvents, 2048))
  }

  /// Encodes events of a block that will have more, all there is room for. Only with one worker is
  /// there less room than a block has events.
  func encode(_ room: EventRoom) { maker.encode(room.events) }

  /// Begins to make a block; its room belongs to it until it is taken.
  func add(_ order: BlockOrder) {
    let numbering = options.keepsGenerations ? nil : numbering
    guard workers > 1 else {
      made.append(maker.make(order, number: numbering.map { $0.number }))
      return
    }
    let before = turn
    let after = DispatchSemaphore(value: 0)
    turn = after
    work.add { [makers] in
      let maker = makers.take()
      defer { makers.giveBack(maker) }
      guard let numbering else { return maker.make(order, number: nil) }
      return maker.make(order) { encoder in
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
    rooms.append(block.room)
    return block
  }
}
