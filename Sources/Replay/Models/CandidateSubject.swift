/// The object of a model a candidate is about, where it is not the event's own table or lock.
public struct CandidateSubject: Sendable, Equatable {
  /// What it is.
  public let binding: ObjectBinding
  /// Key in its space.
  public let key: UInt64
  /// Which life of that key.
  public let generation: UInt32

  init(_ binding: ObjectBinding, _ life: Subjects.Life) {
    self.binding = binding
    key = life.key
    generation = life.generation
  }

  /// `reader section 12#1`.
  var text: String {
    switch binding {
    case .table: "table pfn \(Figures.hex(key))#\(generation)"
    case .lock: "ptlock \(Figures.hex(key))#\(generation)"
    case .callback: "callback \(Figures.hex(key))#\(generation)"
    case .reader: "reader section \(key)#\(generation)"
    case .mm: "mm \(Figures.hex(key))#\(generation)"
    }
  }
}
