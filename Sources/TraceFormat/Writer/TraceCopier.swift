/// Hands events of other traces to a writer, with the names and texts that belong to them.
struct TraceCopier {
  /// Where the events go.
  let writer: TraceWriter
  /// Names of tasks as the writer knows them.
  private var names: [UInt32: String] = [:]
  /// Source and task of the event before, whose name is known to be right.
  private var last: (source: Int, task: UInt32)?
  /// Strings that were copied already: (source, index) → index.
  private var strings: [Text: UInt64] = [:]

  private struct Text: Hashable {
    let source: Int
    let index: UInt64
  }

  /// Strings that are remembered; one that is met again after that is copied again.
  private static let rememberedStrings = 1 << 16

  init(_ writer: TraceWriter) { self.writer = writer }

  /// Says that the source of the next events has read on: names may have changed.
  mutating func beginBatch() { last = nil }

  /// Writes an event of `source`, which is number `number` of the sources.
  mutating func append(_ event: Event, from source: any EventSource, _ number: Int = 0) throws {
    if last?.task != event.task || last?.source != number {
      last = (number, event.task)
      if let name = source.taskName(event.task), names[event.task] != name {
        names[event.task] = name
        try writer.setTaskName(name, of: event.task)
      }
    }
    var event = event
    if event.kind == .mark {
      event.object = try string(Text(source: number, index: event.object), source)
    }
    try writer.append(event)
  }

  /// The writer's index of a string; one no string has where the source does not know it.
  private mutating func string(_ text: Text, _ source: any EventSource) throws -> UInt64 {
    if let known = strings[text] { return known }
    guard let content = source.string(text.index) else { return .max }
    if strings.count >= Self.rememberedStrings { strings.removeAll() }
    let index = try writer.addString(content)
    strings[text] = index
    return index
  }
}
