/// What went wrong with a file, in the words a person needs.
///
/// Printed as `tracetool: error: FILE: what, where, what to do`.
public struct TraceError: Error, Sendable, Equatable, CustomStringConvertible {
  /// The file, or `-`.
  public var file: String
  /// What is wrong, and where.
  public var what: String
  /// What the user can do about it; empty where there is nothing to say.
  public var hint: String

  /// Makes an error.
  public init(file: String, what: String, hint: String = "") {
    self.file = file
    self.what = what
    self.hint = hint
  }

  public var description: String {
    hint.isEmpty ? "\(file): \(what)" : "\(file): \(what); \(hint)"
  }
}
