#if canImport(FoundationEssentials)
  import FoundationEssentials
#else
  import Foundation
#endif

/// The JSON form of a ``TraceHeader``: sorted keys, so that equal headers are equal bytes.
enum HeaderJSON {
  /// The header's bytes; throws where they are more than a file may hold.
  static func encode(_ header: TraceHeader) throws(FormatProblem) -> [UInt8] {
    let encoder = JSONEncoder()
    encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
    guard let data = try? encoder.encode(header) else {
      throw FormatProblem("the trace header cannot be written as JSON")
    }
    guard data.count <= FormatLimits.headerBytes else {
      throw FormatProblem("the trace header is longer than \(FormatLimits.headerBytes) bytes")
    }
    return [UInt8](data)
  }

  /// The header in `bytes`.
  static func decode(_ bytes: some Sequence<UInt8>) throws(FormatProblem) -> TraceHeader {
    guard let header = try? JSONDecoder().decode(TraceHeader.self, from: Data(bytes)) else {
      throw FormatProblem("the trace header is not the JSON it should be")
    }
    guard header.firstOrdinal ?? 0 <= FormatLimits.firstOrdinal else {
      throw FormatProblem("the trace header's first ordinal is out of bounds")
    }
    return header
  }
}
