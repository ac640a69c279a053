import Glibc
import TraceFormat

/// `formatbench convert IN.raw OUT.ptt [WORKERS]` · `verify IN.raw FILE.ptt` · `decode FILE.ptt [WORKERS]` ·
/// `columns FILE.ptt` · `rows FILE.ptt OUT.raw` (events as 48-byte rows, for zstd) ·
/// `tracedat FILE.ptt OUT.dat` (version 6).
@main struct FormatBench {
  static func main() throws {
    let arguments = CommandLine.arguments
    guard arguments.count > 2 else { return fail("formatbench VERB FILE [FILE]") }
    switch (arguments[1], arguments.count) {
    case ("convert", 4...5):
      try convert(
        arguments[2], arguments[3], workers: arguments.count > 4 ? Int(arguments[4]) ?? 1 : 1)
    case ("verify", 4): try verify(arguments[2], arguments[3])
    case ("decode", 3...4):
      try decode(arguments[2], workers: arguments.count > 3 ? Int(arguments[3]) ?? 1 : 1)
    case ("columns", 3): try columns(arguments[2])
    case ("rows", 4): try rows(arguments[2], arguments[3])
    case ("tracedat", 4):
      if let error = try TraceDatFile.convert(arguments[2], arguments[3]) { fail(error) }
    default: fail("unknown verb, or a file is missing")
    }
  }

  private static func fail(_ text: String) {
    print(text)
    exit(2)
  }

  /// Hands the records of a file to `body`, as events.
  private static func eachEvent(_ path: String, _ body: (Event) throws -> Void) throws {
    guard let file = fopen(path, "rb") else { return fail("cannot open \(path)") }
    defer { fclose(file) }
    var mapper = GeneratorRecordMapper()
    var buffer = [UInt8](repeating: 0, count: GeneratorRecordMapper.size * 8192)
    while true {
      let got = fread(&buffer, GeneratorRecordMapper.size, 8192, file)
      if got == 0 { return }
      let bytes = buffer.span.bytes
      for index in 0..<got {
        guard let event = mapper.event(bytes, at: index * GeneratorRecordMapper.size) else {
          return fail("no such record type")
        }
        try body(event)
      }
    }
  }

  private static func convert(_ input: String, _ output: String, workers: Int) throws {
    let header = TraceHeader(
      source: "ptgen", producer: "formatbench", cpus: 8, clock: .nanoseconds("mono"))
    let writer = try TraceWriter(path: output, header: header, options: .init(workers: workers))
    try eachEvent(input) { try writer.append($0) }
    try writer.finish()
  }

  private static func verify(_ input: String, _ path: String) throws {
    let reader = try TraceReader(path: path)
    var batch = EventBatch()
    var generations = GenerationTracker()
    var place = 0
    var count = 0
    try eachEvent(input) { event in
      if place == batch.events.count {
        place = 0
        guard try reader.next(into: &batch) else { return fail("the file ends at \(count)") }
      }
      var expected = event
      expected.generation = generations.generation(of: event)
      if batch.events[place] != expected { fail("event \(count) differs") }
      place += 1
      count += 1
    }
    guard try !reader.next(into: &batch) else { return fail("the file has more events") }
    print("identical: \(count) events")
  }

  private static func decode(_ path: String, workers: Int) throws {
    let reader = try TraceReader(path: path)
    reader.workers = workers
    var batch = EventBatch()
    var sum: UInt64 = 0
    var count = 0
    while try reader.next(into: &batch) {
      count += batch.events.count
      sum &+= batch.events[batch.events.count - 1].time
    }
    print("decoded \(count) events, \(sum)")
  }

  private static func columns(_ path: String) throws {
    let reader = try TraceReader(path: path)
    let events = Double(reader.eventCount ?? 0)
    func perEvent(_ bytes: UInt64) -> String {
      let thousandths = Int((Double(bytes) / events * 1000).rounded())
      let digits = String(thousandths % 1000)
      return "\(thousandths / 1000).\(String(repeating: "0", count: 3 - digits.count))\(digits)"
    }
    for column in try reader.columnSizes() where column.raw > 0 {
      print("\(column.name)\t\(perEvent(column.stored))\t\(perEvent(column.raw))")
    }
    print("file\t\(perEvent(reader.fileSize ?? 0))\t(B/event)")
  }

  private static func rows(_ path: String, _ output: String) throws {
    let reader = try TraceReader(path: path)
    guard let file = fopen(output, "wb") else { return fail("cannot write \(output)") }
    defer { fclose(file) }
    var batch = EventBatch()
    while try reader.next(into: &batch) {
      var bytes: [UInt8] = []
      for event in batch.events {
        for value in [event.time, event.object, event.arg0, event.arg1] {
          for shift in 0..<8 { bytes.append(UInt8(truncatingIfNeeded: value >> (8 * shift))) }
        }
        for value in [event.generation, event.task] {
          for shift in 0..<4 { bytes.append(UInt8(truncatingIfNeeded: value >> (8 * shift))) }
        }
        bytes += [UInt8(truncatingIfNeeded: event.cpu), UInt8(event.cpu >> 8)]
        bytes += [event.kind.rawValue, event.context.rawValue, event.level.rawValue]
        bytes += [event.flags.rawValue, 0, 0]
      }
      fwrite(bytes, 1, bytes.count, file)
    }
  }
}
