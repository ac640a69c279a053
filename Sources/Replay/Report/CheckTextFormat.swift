/// `check --format text` for one or more traces: each as ``CheckText`` has it, as soon as it is
/// known. A trace that cannot be read is told on stderr.
public struct CheckTextFormat: CheckFormat {
  private let detail: CheckText.Detail
  private var isFirst = true

  public init(traces: Int, toolVersion: String) { self.init(detail: .normal) }

  /// A report that says as much as `detail` has it.
  public init(detail: CheckText.Detail) { self.detail = detail }

  public mutating func add(_ trace: CheckedTrace) -> String {
    guard let report = trace.report else { return "" }
    let gap = isFirst || detail == .brief ? "" : "\n"
    isFirst = false
    return gap
      + CheckText(report.result, evidence: report.evidence, file: trace.file, detail: detail).lines
      .map { $0 + "\n" }.joined()
  }

  public mutating func finish() -> String { "" }
}

/// `check --format json` for one or more traces: one object for one trace, an array for several;
/// each as ``CheckJSON`` has it.
public struct CheckJSONFormat: CheckFormat {
  private let isArray: Bool
  private var count = 0

  public init(traces: Int, toolVersion: String) { isArray = traces != 1 }

  public mutating func add(_ trace: CheckedTrace) throws -> String {
    guard let report = trace.report else { return "" }
    let json = CheckJSON(report.result, evidence: report.evidence, file: trace.file)
    let object = String(decoding: try json.bytes(), as: UTF8.self)
    count += 1
    guard isArray else { return object }
    return (count == 1 ? "[\n" : ",\n") + object
  }

  public mutating func finish() -> String {
    isArray ? (count == 0 ? "[\n" : "") + "]\n" : ""
  }
}
