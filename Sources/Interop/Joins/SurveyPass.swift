/// The first pass of an import that makes two: the survey and nothing else.
struct SurveyPass: RecordConsumer {
  private(set) var survey = Survey()
  var event = RecordedEvent()

  mutating func wantedFields(of index: Int) -> FieldSet { survey.wantedFields(of: index) ?? [] }

  mutating func take(_ index: Int, text: Span<UInt8>) throws { survey.take(index, &event) }

  mutating func takeUnknown(_ name: Span<UInt8>, example: () -> String) throws {
    survey.takeUnknown(&event)
  }

  mutating func takeFunction(_ name: Span<UInt8>, example: () -> String) throws {
    survey.takeFunction()
  }

  mutating func takeLoss(cpu: UInt16, count: UInt64?) throws {
    survey.takeLoss(cpu: cpu, count: count)
  }

  mutating func takeBad(_ example: () -> String) throws { survey.takeBad(example) }

  mutating func takeComment(_ bytes: Span<UInt8>) throws { survey.takeComment(bytes) }
}
