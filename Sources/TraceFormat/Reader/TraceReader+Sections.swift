/// How ``TraceReader`` finds its way from one section of a file to the next.
extension TraceReader {
  /// What comes next in a trace, snapshots left out.
  enum NextSection {
    case block(BlockHeader, dataOffset: UInt64)
    /// The end, with the footer if it has just been read.
    case end(Footer?)
  }

  /// Reads on to the header of the next block, or to the end.
  func nextSection() throws -> NextSection {
    while footerOffset != offset {
      let section = try pending ?? loader.section(at: offset)
      pending = nil
      switch section {
      case .snapshot(let snapshot, let dataOffset, let payloadLength):
        try check(snapshot.entry)
        try loader.skip(payloadLength, at: dataOffset)
        offset = snapshot.entry.endOffset
      case .end:
        guard footerOffset == nil else { throw FormatProblem("the file has become shorter") }
        return .end(nil)
      case .block(let block, let dataOffset):
        try check(block.entry)
        return .block(block, dataOffset: dataOffset)
      case .footer(let lengths, let dataOffset, let payloadLength):
        let footer = try loader.footer(
          lengths, dataOffset: dataOffset, payloadLength: payloadLength, at: offset,
          blocksFrom: start)
        guard footer.index == index, footer.snapshots == snapshots else {
          throw FormatProblem("the index does not match the blocks")
        }
        guard footer.header.firstOrdinal == header.firstOrdinal else {
          throw FormatProblem("start and footer disagree on the first ordinal")
        }
        return .end(footer)
      }
    }
    return .end(nil)
  }

  /// Goes behind a block that has been read.
  func pass(_ block: BlockHeader) {
    Self.add(block, to: &columnTotals)
    offset = block.entry.endOffset
    blocksRead += 1
  }

  /// Goes on to the next block that is wanted, or behind the last one; false if that is the next.
  func passUnwantedBlocks() -> Bool {
    guard input.isSeekable, let wantsBlock else { return false }
    let first = blocksRead
    while blocksRead < index.count, !wantsBlock(index[blocksRead]) {
      offset = index[blocksRead].endOffset
      ordinal = index[blocksRead].endOrdinal
      blocksRead += 1
    }
    return blocksRead > first
  }

  /// Takes what the footer says.
  func end(_ footer: Footer?) {
    guard let footer else { return }
    header = footer.header
    isComplete = true
    footerOffset = offset
  }

  /// Builds the index from the block headers, up to the first thing that is no block.
  func scan() {
    var place = start
    while let section = try? loader.section(at: place) {
      switch section {
      case .block(let block, _):
        guard (try? checkFollows(block.entry)) != nil, block.entry.endOffset <= input.size!
        else { return }
        index.append(block.entry)
        place = block.entry.endOffset
      case .snapshot(let snapshot, _, _):
        guard (try? checkFollows(snapshot.entry)) != nil,
          snapshot.entry.endOffset <= input.size!
        else { return }
        snapshots.append(snapshot.entry)
        place = snapshot.entry.endOffset
      case .footer, .end: return
      }
    }
  }

  /// Checks a block against the index, or makes it the next entry.
  private func check(_ entry: IndexEntry) throws(FormatProblem) {
    if blocksRead < index.count {
      guard index[blocksRead] == entry else {
        throw FormatProblem("the block is not the one the index names")
      }
    } else {
      try checkFollows(entry)
      index.append(entry)
    }
  }

  /// Checks that a block continues those before it.
  private func checkFollows(_ entry: IndexEntry) throws(FormatProblem) {
    guard entry.firstOrdinal == endOrdinal else {
      throw FormatProblem("the block begins with event \(entry.firstOrdinal), out of order")
    }
    guard entry.firstString == index.last?.endString ?? 0 else {
      throw FormatProblem("the block begins with string \(entry.firstString), out of order")
    }
  }

  /// The error a caller sees: where the problem is, and what is intact.
  func explain(_ error: any Error, at offset: UInt64, block: Int? = nil) -> any Error {
    guard let problem = error as? FormatProblem else { return error }
    let place = block.map { "block \($0) at byte \(offset)" } ?? "byte \(offset)"
    let delivered = (index.prefix(block ?? 0).last?.endOrdinal ?? firstOrdinal) - firstOrdinal
    return TraceError(
      file: input.name, what: "\(place): \(problem.what)",
      hint: "the \(delivered) events before it are intact; copy it again or record anew")
  }
}
