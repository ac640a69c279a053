import Dispatch

/// What a reader has read ahead of what it has delivered, in the order of the file.
///
/// Sections are read by the thread that owns the reader; checksums, decompression and decoding are
/// done by others.
final class ReadAhead {
  /// What comes next.
  enum Item {
    case block(StoredHeader, DecodedBlock)
    /// The trace ends, with a footer or without.
    case end(Footer?)
    case failure(any Error)
  }

  /// What the reader has to know of a block.
  struct StoredHeader {
    let entry: IndexEntry
    /// Number of the block.
    let number: Int
  }

  private enum Entry {
    case block(StoredHeader, DecodedBlock, bytes: Int)
    case last(Item)
  }

  /// Bytes of blocks, as they lie in the file, beyond which no other is read ahead.
  private static let byteLimit = 16 << 20

  private let workers: Int
  private let queue = DispatchQueue(label: "tracetool.blocks", attributes: .concurrent)
  private let workshops = Lender { BlockWorkshop() }
  private let spares = Lender { [Event]() }
  private var entries: [Entry] = []
  private var bytes = 0
  /// The block that was taken last.
  private var taken: DecodedBlock?

  /// Reads ahead by as many blocks as there are `workers`.
  init(workers: Int) { self.workers = workers }

  /// Whether another section should be read.
  var wantsMore: Bool {
    if case .last? = entries.last { return false }
    guard !entries.isEmpty else { return true }
    return entries.count < idleWorkers && bytes < Self.byteLimit
  }

  /// Workers that the block taken last does not need.
  private var idleWorkers: Int { taken?.isComplete == false ? workers - 1 : workers }

  /// Takes a block that has been read.
  func add(_ block: StoredBlock, number: Int, wanted: ColumnSet) {
    let length = block.byteCount
    bytes += length
    let result = DecodedBlock()
    let header = StoredHeader(entry: block.header.entry, number: number)
    entries.append(.block(header, result, bytes: length))
    queue.async { [workshops, spares] in
      let workshop = workshops.take()
      defer { workshops.giveBack(workshop) }
      workshop.decode(block, wanted: wanted, spares: spares, into: result)
    }
  }

  /// Says that nothing follows.
  func end(_ item: Item) { entries.append(.last(item)) }

  /// What comes next; there must be something.
  func next() -> Item {
    switch entries.removeFirst() {
    case .last(let item): return item
    case .block(let header, let block, let length):
      bytes -= length
      taken = block
      return .block(header, block)
    }
  }

  /// Takes an array back that nobody needs any more.
  func recycle(_ events: inout [Event]) {
    guard events.capacity > 0 else { return }
    spares.giveBack(events)
    events = []
  }
}
