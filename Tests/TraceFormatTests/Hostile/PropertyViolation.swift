/// A property that bytes from outside broke.
///
/// The files of this folder are shared: normal tests replay saved inputs through them, and the fuzz
/// package, which has links to them, looks for new ones.
struct PropertyViolation: Error, CustomStringConvertible {
  let description: String

  init(_ description: String) { self.description = description }
}

/// Throws a ``PropertyViolation`` unless `condition` holds.
func demand(
  _ condition: Bool, _ what: @autoclosure () -> String
) throws(PropertyViolation) {
  if !condition { throw PropertyViolation(what()) }
}
