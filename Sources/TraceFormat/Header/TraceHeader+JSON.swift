extension TraceHeader {
  /// The header as one JSON object with sorted keys, as a file holds it; nil where it is too long
  /// for one.
  public var json: [UInt8]? { try? HeaderJSON.encode(self) }

  /// The header in `json`; nil if it is not one.
  public init?(json: some Sequence<UInt8>) {
    guard let header = try? HeaderJSON.decode(json) else { return nil }
    self = header
  }
}
