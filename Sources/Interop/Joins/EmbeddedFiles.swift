import TraceFormat

/// Files that a recording script writes into the text it streams, as comments between the events:
///
///     # tracetool kprobe_events: p:pt/pt_ctor lruvec_stat_mod_folio folio=%a0:x64 …
///
/// One line for each line of the file; `stats` and `kprobe_profile` come at the end.
struct EmbeddedFiles {
  private var files: [String: [UInt8]] = [:]
  private var bytes = 0
  private static let mark = Array("# tracetool ".utf8)
  /// Bytes of all files; what is beyond is not kept.
  private static let limit = 1 << 20

  /// Takes a comment line, whatever it says.
  mutating func take(_ line: Span<UInt8>) {
    guard line.count > Self.mark.count, bytes < Self.limit else { return }
    for place in Self.mark.indices where line[place] != Self.mark[place] { return }
    var at = Self.mark.count
    while at < line.count, line[at] != 0x3A { at += 1 }
    guard at < line.count, at - Self.mark.count <= 64 else { return }
    let name = String(decoding: (Self.mark.count..<at).map { line[$0] }, as: UTF8.self)
    let start = min(at + 2, line.count)
    let content = (start..<line.count).map { line[$0] }
    files[name, default: []] += content + [0x0A]
    bytes += content.count + 1
  }

  /// Content of a file, if there is any.
  subscript(_ name: String) -> [UInt8]? { files[name] }

  /// Bytes of all files so far.
  var size: Int { bytes }
}
