/// Room for events that have been collected and not been encoded.
///
/// Sendable because it has one owner at a time: the writer while it collects events, then the job
/// that makes a block of them, then the writer again.
final class EventRoom: @unchecked Sendable {
  let events: Lane<Event>

  init(_ count: Int) { events = Lane(room: count) }

  deinit { events.deallocate() }
}

/// What makes a block: its last events, and what they are.
struct BlockOrder: Sendable {
  /// Holds the events that have not been encoded.
  let room: EventRoom
  /// How many those are.
  let count: Int
  let texts: BlockTexts
  /// What is known of the block before it is encoded.
  let entry: IndexEntry
}

/// A block as it goes into the file; where is not known yet.
struct PackedBlock: Sendable {
  let room: EventRoom
  let entry: IndexEntry
  let bytes: [UInt8]
}

/// Makes one block after the other.
final class BlockMaker {
  private let options: TraceWriter.Options
  private let encoder = BlockEncoder()
  private let packer: BlockPacker
  /// Time of the first event of the block that has been begun.
  private var timeBase: UInt64?

  init(_ options: TraceWriter.Options) {
    self.options = options
    packer = BlockPacker(codec: options.codec)
  }

  /// Encodes the next events of a block that will have more.
  func encode(_ events: Lane<Event>) { encode(events, blockEvents: options.blockEvents) }

  /// Encodes the next events of a block; room is made for `blockEvents` if these are its first. A
  /// small trace is to need little.
  private func encode(_ events: Lane<Event>, blockEvents: Int) {
    if timeBase == nil {
      let first = events.count > 0 ? events[0].time : 0
      timeBase = first
      encoder.begin(
        capacity: blockEvents, timeBase: first, keepsGenerations: options.keepsGenerations)
    }
    encoder.add(events)
  }

  /// Makes a block; `number` gives its objects their generations, where the writer numbers them.
  func make(_ order: BlockOrder, number: ((BlockEncoder) -> Void)?) -> PackedBlock {
    encode(order.room.events.prefix(order.count), blockEvents: order.count)
    encoder.end()
    number?(encoder)
    encoder.setTexts(
      names: order.texts.namesColumn(tasks: encoder.tasks), strings: order.texts.strings)
    var entry = order.entry
    entry.note(encoder.summary)
    let bytes = packer.pack(encoder.columns, timeBase: timeBase ?? 0, entry: &entry)
    timeBase = nil
    return PackedBlock(room: order.room, entry: entry, bytes: bytes)
  }
}
