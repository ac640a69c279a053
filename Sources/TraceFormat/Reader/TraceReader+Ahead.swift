/// Reading with ``TraceReader/workers``.
extension TraceReader {
  /// Makes the next block the current one, after it has been decoded by others; false at the end
  /// of the trace.
  func takeAhead() throws -> Bool {
    current = nil
    let ahead = ahead ?? ReadAhead(workers: workers)
    self.ahead = ahead
    read(ahead)
    switch ahead.next() {
    case .failure(let error): throw error
    case .end(let footer):
      end(footer)
      return false
    case .block(let header, let block):
      // So that nobody is idle while the caller works on this one.
      read(ahead)
      try begin(header, block)
      return true
    }
  }

  /// Reads on as far as there are workers.
  private func read(_ ahead: ReadAhead) {
    while ahead.wantsMore {
      do {
        _ = passUnwantedBlocks()
        switch try nextSection() {
        case .end(let footer): ahead.end(.end(footer))
        case .block(let block, let dataOffset):
          let wanted = columns
          let stored = loader.stored(block, at: dataOffset) { wanted.needs($0) }
          ahead.add(stored, number: blocksRead, wanted: wanted)
          // Nothing can be read behind a failure.
          if let problem = stored.problem {
            ahead.end(.failure(explain(problem, at: offset, block: blocksRead)))
          }
          pass(block)
        }
      } catch {
        ahead.end(.failure(explain(error, at: offset, block: blocksRead)))
      }
    }
  }

  private func begin(_ header: ReadAhead.StoredHeader, _ block: DecodedBlock) throws {
    let (entry, number) = (header.entry, header.number)
    if number > blocksBegun {
      texts.forgetNames()
      loadStrings(ofBlocksBefore: number)
    }
    guard case .begin(let beginning) = block.next() else {
      preconditionFailure("a block begins with its beginning")
    }
    do {
      if let problem = beginning.columnProblem { throw problem }
      try beginTexts(entry, number, names: beginning.names, strings: beginning.strings)
      if let problem = beginning.problem { throw problem }
    } catch {
      throw explain(error, at: entry.offset, block: number)
    }
    blocksBegun = number + 1
    blocksDecoded += 1
    ordinal = entry.firstOrdinal
    current = Current(header: header, block: block)
  }

  /// Fills `batch` from the current block; false where nothing is left of it.
  func deliverDecoded(into batch: inout EventBatch) throws -> Bool {
    texts.apply(upTo: current!.position)
    if let ahead {
      // A worker may have become idle meanwhile. Passing over blocks moves the ordinal.
      let next = ordinal
      read(ahead)
      ordinal = next
    }
    switch current!.block.next() {
    case .begin: preconditionFailure("a block begins once")
    case .end(let problem?):
      let header = current!.header
      throw explain(problem, at: header.entry.offset, block: header.number)
    case .end(nil):
      current = nil
      return false
    case .events(var events):
      swap(&batch.events, &events)
      ahead?.recycle(&events)
    }
    batch.firstOrdinal = ordinal
    current!.position += batch.events.count
    ordinal &+= UInt64(batch.events.count)
    return true
  }

  /// Lets go of what has been read ahead; where that is possible it is read again.
  func forgetWhatIsAhead() {
    guard ahead != nil else { return }
    ahead = nil
    blocksRead = blocksBegun
    offset =
      blocksRead < index.count ? index[blocksRead].offset : index.last?.endOffset ?? start
  }
}
