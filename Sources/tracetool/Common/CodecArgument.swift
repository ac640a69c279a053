import ArgumentParser
import TraceFormat

/// A codec as a word of the command line.
struct CodecArgument: ExpressibleByArgument {
  /// Levels that mean what they say in every version of libzstd.
  private static let levels = 1...19

  let codec: TraceWriter.Codec

  init(codec: TraceWriter.Codec) { self.codec = codec }

  init?(argument: String) {
    switch argument {
    case "none": codec = .none
    case "zstd": codec = TraceWriter.Options().codec
    default:
      guard argument.hasPrefix("zstd:"), let level = Int(argument.dropFirst(5)),
        Self.levels.contains(level)
      else { return nil }
      codec = .zstd(level: level)
    }
  }

  var defaultValueDescription: String {
    switch codec {
    case .none: "none"
    case .zstd(let level): "zstd:\(level)"
    }
  }
}
