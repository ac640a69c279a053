/// Writes a run of events of a longer trace as a trace of its own (docs/FORMAT.md, "Slices and
/// merges"): they keep their ordinals and generations, and a snapshot says what was before.
enum TracePart {
  /// Writes the part that begins with the event `first`.
  ///
  /// - Parameters:
  ///   - header: that of the whole, with what is to be said of the part.
  ///   - history: what has to be known of the events before; asked for if there are any.
  ///   - copy: appends the events.
  static func write(
    from first: UInt64, header: TraceHeader, after history: @autoclosure () throws -> TraceHistory,
    to path: String, options: TraceWriter.Options, _ copy: (TraceWriter) throws -> Void
  ) throws {
    var options = options
    options.keepsGenerations = true
    var header = header
    header.firstOrdinal = first == 0 ? nil : first
    let writer = try TraceWriter(path: path, header: header, options: options)
    do {
      if first > 0 { try writer.begin(with: history()) }
      try copy(writer)
      try writer.finish()
    } catch {
      writer.abandon()
      throw error
    }
  }
}
