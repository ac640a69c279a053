@testable import TraceFormat

/// Whatever is written is what is read: any events, in any blocks, with any texts between them.
enum RoundTripProperty {
  /// A trace made of a script: the events as a reader must give them, the texts, the file.
  struct Made {
    var events: [Event] = []
    /// Names that hold at each event.
    var names: [[UInt32: String]] = []
    var strings: [String] = []
    var bytes: [UInt8] = []
  }

  /// Writes and reads the events a script makes.
  static func check(_ script: [UInt8]) throws {
    let made = try make(script)
    let reader = try TraceReader(bytes: made.bytes)
    try demand(reader.isComplete, "the end is missing")
    var batch = EventBatch()
    var read = 0
    while try reader.next(into: &batch) {
      for event in batch.events {
        try demand(read < made.events.count, "more events are read than written")
        try demand(
          event == made.events[read],
          "event \(read) is \(event), not \(made.events[read])")
        let name = made.names[read][event.task]
        try demand(reader.taskName(event.task) == name, "task \(event.task) has another name")
        read += 1
      }
    }
    try demand(read == made.events.count, "\(read) events are read of \(made.events.count)")
    for (index, text) in made.strings.enumerated() {
      try demand(reader.string(UInt64(index)) == text, "string \(index) is another")
    }
    for entry in reader.index { try checkEntry(entry, made) }
    for entry in reader.snapshots {
      guard let history = reader.history(before: entry.ordinal), history.ordinal == entry.ordinal
      else { throw PropertyViolation("the snapshot of event \(entry.ordinal) is not read") }
      // Of an mm's changes one event stands for all of them.
      for item in history.items where item.event.kind != .mmBytes {
        try demand(
          item.event == made.events[Int(item.ordinal)],
          "the snapshot has \(item.event) at \(item.ordinal)")
      }
    }
    try ReaderProperty.check(made.bytes)
  }

  /// An index entry must say of its events what is true of them.
  private static func checkEntry(_ entry: IndexEntry, _ made: Made) throws {
    let first = Int(entry.firstOrdinal)
    let events = made.events[first..<(first + Int(entry.eventCount))]
    try demand(entry.timeMin == events.map(\.time).min() ?? 0, "smallest time")
    try demand(entry.timeMax == events.map(\.time).max() ?? 0, "largest time")
    for event in events {
      try demand(entry.mayContain(cpu: event.cpu), "CPU mask")
      try demand(entry.contains(event.kind), "kind mask")
    }
  }

  /// Writes what a script says.
  static func make(_ bytes: [UInt8]) throws -> Made {
    var script = EventScript(bytes)
    let choice = script.byte()
    let sizes = [1, 2, 3, 7, 16, 100, 4096, 65_536]
    let options = TraceWriter.Options(
      blockEvents: sizes[Int(choice & 7)], codec: choice & 8 == 0 ? .none : .zstd(level: 1),
      keepsGenerations: choice & 16 != 0, snapshots: choice & 32 != 0 ? .every(9) : .none)
    let output = MemoryOutput()
    let writer = try TraceWriter(output: output, header: TraceFiles.header, options: options)
    var made = Made()
    var names: [UInt32: String] = [:]
    while !script.isAtEnd, made.events.count < 5000 {
      let step = script.byte()
      switch step {
      case 250:
        let task = UInt32(script.byte())
        let name = String(repeating: "n", count: Int(script.byte() % 65))
        try writer.setTaskName(name, of: task)
        names[task] = name
      case 251, 252:
        let text = String(repeating: step == 251 ? "s" : "é", count: Int(script.byte()))
        try demand(
          try writer.addString(text) == UInt64(made.strings.count), "a string has another number")
        made.strings.append(text)
      case 253: try writer.flushBlock()
      default:
        for _ in 0...(step < 200 ? 0 : step - 200) where made.events.count < 5000 {
          let event = script.event()
          try writer.append(event)
          made.events.append(event)
          made.names.append(names)
        }
      }
    }
    try writer.finish()
    made.bytes = output.bytes
    made.events = options.keepsGenerations ? bare(made.events) : TraceFiles.numbered(made.events)
    return made
  }

  /// Events without an object that has lives carry no generation.
  private static func bare(_ events: [Event]) -> [Event] {
    events.map { event in
      var event = event
      let space = event.kind.fields.space
      if space == .none || space == .gracePeriod { event.generation = 0 }
      return event
    }
  }
}
