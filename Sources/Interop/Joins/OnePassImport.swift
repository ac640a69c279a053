import TraceFormat

/// What a survey of some lines of a large file makes one expect of all of them.
struct ImportGuess {
  /// What is concluded from a survey.
  typealias Conclusions = (facts: Facts, header: TraceHeader)

  let facts: Facts
  let header: TraceHeader
  private var survey: Survey
  private let conclude: (Survey) -> Conclusions

  /// nil where the lines say that all of them are needed: files are embedded in the trace, or events
  /// were lost, for a hole begins at a line that is known only when its end is met.
  init?(_ survey: Survey, conclude: @escaping (Survey) -> Conclusions) {
    guard survey.holeCount == 0, survey.embedded.size == 0 else { return nil }
    (facts, header) = conclude(survey)
    guard facts.holes.allSatisfy({ $0.afterLine == 0 }) else { return nil }
    self.survey = survey
    self.conclude = conclude
  }

  /// Whether the survey met the name at `index`.
  func expects(_ index: Int) -> Bool { survey.tallies[index].lines > 0 }

  /// Adds an event with a name that was not expected; whether everything is still as it was guessed.
  mutating func stillHolds(with index: Int, _ event: inout RecordedEvent) -> Bool {
    survey.take(index, &event)
    return holds(for: survey)
  }

  /// Whether `survey` says what was guessed.
  func holds(for survey: Survey) -> Bool {
    let (facts, header) = conclude(survey)
    return facts == self.facts && header == self.header
  }
}

/// An import in one pass: the joins rely on a guess, and the survey beside them finds out whether it
/// was right. Where it was not, the joins stop, and what they wrote is void.
struct OnePassImport: RecordConsumer {
  private(set) var survey = Survey()
  private(set) var state: ImportState
  /// Nothing met so far contradicts the guess.
  private(set) var holds = true
  private var guess: ImportGuess
  private var isExpected: [Bool]
  /// The survey wants the fields of the event at hand.
  private var isOfSurvey = false

  init(_ guess: ImportGuess, sink: any EventSink) throws {
    self.guess = guess
    state = ImportState(facts: guess.facts, sink: sink)
    isExpected = NameTable.shared.entries.indices.map { guess.expects($0) }
    try state.begin()
  }

  /// Writes what is left; false if the guess was wrong.
  mutating func finish() throws -> Bool {
    holds = holds && guess.holds(for: survey)
    if holds { try state.finish() }
    return holds
  }

  var event: RecordedEvent {
    @inline(__always) get { state.event }
    @inline(__always) _modify { yield &state.event }
  }

  @inline(always)
  mutating func wantedFields(of index: Int) -> FieldSet {
    var wanted: FieldSet = holds ? state.wantedFields(of: index) : []
    let surveyed = survey.wantedFields(of: index)
    isOfSurvey = surveyed != nil
    if let surveyed { wanted.formUnion(surveyed) }
    return wanted
  }

  mutating func take(_ index: Int, text: Span<UInt8>) throws {
    if !isExpected[index] {
      isExpected[index] = true
      holds = holds && guess.stillHolds(with: index, &state.event)
    }
    if isOfSurvey {
      survey.take(index, &state.event)
    } else {
      survey.count(index, &state.event)
    }
    if holds { try state.take(index, text: text) }
  }

  mutating func takeUnknown(_ name: Span<UInt8>, example: () -> String) throws {
    survey.takeUnknown(&state.event)
    if holds { try state.takeUnknown(name, example: example) }
  }

  mutating func takeFunction(_ name: Span<UInt8>, example: () -> String) throws {
    survey.takeFunction()
    if holds { try state.takeFunction(name, example: example) }
  }

  mutating func takeLoss(cpu: UInt16, count: UInt64?) throws {
    survey.takeLoss(cpu: cpu, count: count)
    holds = false
  }

  mutating func takeBad(_ example: () -> String) throws {
    survey.takeBad(example)
    if holds { try state.takeBad(example) }
  }

  mutating func takeComment(_ bytes: Span<UInt8>) throws {
    survey.takeComment(bytes)
    holds = holds && survey.embedded.size == 0
    if holds { try state.takeComment(bytes) }
  }
}
