import TraceFormat

/// Something for the machine to do: tasks, and what they do by chance.
///
/// A workload knows neither stages nor invariants.
protocol Workload: Sendable {
  var name: String { get }
  /// What it does, in one line.
  var summary: String { get }
  /// Creates the first address spaces and tasks.
  func start(on machine: Machine) throws(TraceError)
}

/// The workloads there are.
public enum Workloads {
  static let all: [any Workload] = [
    MunmapChurn(), ForkExit(), GupStress(), MemoryPressure(), ReclaimRace(), HugePageChurn(),
    CPUHotplug(),
  ]

  /// Their names, as `--workload` takes them.
  public static var names: [String] { all.map(\.name) }

  /// What a workload does, in one line; nil for an unknown name.
  public static func summary(of name: String) -> String? {
    all.first { $0.name == name }?.summary
  }

  static func named(_ name: String) throws(TraceError) -> any Workload {
    guard let workload = all.first(where: { $0.name == name }) else {
      throw TraceError(
        file: name, what: "is not a workload",
        hint: "workloads are \(names.joined(separator: ", "))")
    }
    return workload
  }
}
