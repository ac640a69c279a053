/// Finds the places of a file where a section may begin.
struct MarkerSearch {
  private static let chunkBytes = 1 << 16

  private let input: TraceInput
  private var bytes: [UInt8] = []

  init(_ input: TraceInput) { self.input = input }

  /// Offset of the first marker at or behind `start`; nil if there is none.
  mutating func next(from start: UInt64) throws -> UInt64? {
    let marker = FormatConstants.marker
    var place = start
    while true {
      bytes.removeAll(keepingCapacity: true)
      let got = try input.read(Self.chunkBytes, at: place, appendingTo: &bytes)
      guard got >= marker.count else { return nil }
      let last = got - marker.count
      for index in 0...last where bytes[index] == marker[0] {
        if bytes[index..<(index + marker.count)].elementsEqual(marker) {
          return place + UInt64(index)
        }
      }
      place += UInt64(last + 1)
    }
  }
}
