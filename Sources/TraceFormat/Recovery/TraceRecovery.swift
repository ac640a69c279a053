/// Saves what is intact of a damaged trace file into a new one.
///
/// Every event of every intact block is kept, with its generation; each hole becomes a `loss` and
/// a `loss_end` on all CPUs (no `loss_end` where nothing comes after it). The new file has an
/// index and a footer of its own and is read back before it is believed.
public enum TraceRecovery {
  /// Recovers `input` into `output`.
  ///
  /// Throws ``TraceError`` where nothing can be recovered: a pipe, a file of another kind or
  /// version, one whose start and footer are both damaged.
  public static func recover(
    _ input: String, to output: String, options: TraceWriter.Options = .init(),
    progress: Progress? = nil
  ) throws -> RecoveryReport {
    let source = try SalvageReader(TraceInput(path: input))
    if output != "-", let real = FileDescriptor.realPath(input),
      real == FileDescriptor.realPath(output)
    {
      throw TraceError(
        file: output, what: "is the damaged file itself", hint: "write to another one and compare")
    }
    var options = options
    options.keepsGenerations = true
    let writer = try TraceWriter(path: output, header: source.header, options: options)
    let written = try copy(source, to: writer, progress)
    try writer.finish(header: header(of: source))
    // Pipes and devices cannot be read back.
    if output != "-", try isFile(output) {
      do {
        try verify(output, against: written)
      } catch {
        FileDescriptor.remove(output)
        throw error
      }
    }
    return source.report
  }

  /// What a recovery of `input` would keep and lose; writes nothing.
  public static func inspect(_ input: String) throws -> RecoveryReport {
    let source = try SalvageReader(TraceInput(path: input))
    var batch = EventBatch()
    while try source.next(into: &batch) {}
    return source.report
  }

  private static func isFile(_ path: String) throws -> Bool {
    do {
      return try FileDescriptor.status(of: path)?.kind == .regular
    } catch {
      throw TraceError(file: path, what: "cannot be read back: \(error.reason)")
    }
  }

  /// How many events there are, and a number any change of one of them changes.
  private struct Digest: Equatable {
    var count: UInt64 = 0
    var hasher = Hasher()

    mutating func take(_ event: Event) {
      var event = event
      // Strings are numbered anew.
      if event.kind == .mark { event.object = 0 }
      hasher.combine(event)
      count += 1
    }

    static func == (left: Digest, right: Digest) -> Bool {
      left.count == right.count && left.hasher.finalize() == right.hasher.finalize()
    }
  }

  private static func copy(
    _ source: SalvageReader, to writer: TraceWriter, _ progress: Progress?
  ) throws -> Digest {
    var copier = TraceCopier(writer)
    var digest = Digest()
    var batch = EventBatch()
    do {
      while try source.next(into: &batch) {
        copier.beginBatch()
        progress?(source.bytesPassed, source.size)
        for event in batch.events {
          digest.take(event)
          try copier.append(event, from: source)
        }
      }
    } catch {
      writer.abandon()
      throw error
    }
    return digest
  }

  private static func header(of source: SalvageReader) -> TraceHeader {
    var header = source.header
    let report = source.report
    if report.holeCount > 0 {
      header.remarks.append("recovered from a damaged file: \(report.summary)")
    }
    if report.endIsDamaged {
      header.remarks.append(
        "recovered without the end of the file: what was counted when the recording ended is lost")
    }
    return header
  }

  private static func verify(_ path: String, against written: Digest) throws {
    let reader = try TraceReader(path: path)
    var digest = Digest()
    var batch = EventBatch()
    while try reader.next(into: &batch) {
      for event in batch.events { digest.take(event) }
    }
    guard reader.isComplete, digest == written else {
      throw TraceError(
        file: path, what: "does not read back as it was written",
        hint: "the disk may be failing; nothing is kept")
    }
  }
}
