import Interop
import TraceFormat

/// The files of a machine that `probes` can be given, singly or as a survey.
struct TargetFiles {
  private typealias Name = SurveyFiles.Name

  private let files: [Name: (path: String, bytes: [UInt8])]

  /// Reads what there is. A file that is named and cannot be read is an error; one that a survey
  /// does not have is not.
  init(
    survey: String?, kallsyms: String?, functions: String?, config: String?, btf: String?
  ) throws {
    var files: [Name: (path: String, bytes: [UInt8])] = [:]
    if let survey {
      let found = try SurveyFiles(path: survey, isFolder: isDirectory(survey))
      for name in Name.allCases { files[name] = found[name] }
    }
    let named: [(Name, String?)] = [
      (.kallsyms, kallsyms), (.functions, functions), (.config, config), (.btf, btf),
    ]
    for (name, path) in named {
      if let path { files[name] = (path, try WholeFile.read(path, atMost: SurveyFiles.largest)) }
    }
    self.files = files
  }

  /// Its release (`uname -r`), where a survey says it.
  var release: String? { firstLine(.release) }

  /// Its architecture (`uname -m`), where a survey says it.
  var machine: String? { firstLine(.machine) }

  /// Adds what the files say to `target`.
  func fill(_ target: inout ProbeTarget) throws {
    if let kallsyms = files[.kallsyms] {
      let symbols = ProbeTarget.symbols(kallsyms: String(decoding: kallsyms.bytes, as: UTF8.self))
      guard symbols.contains("call_rcu") else {
        throw TraceError(
          file: kallsyms.path, what: "names no call_rcu(): it is no list of kernel symbols",
          hint: "copy /proc/kallsyms with cat, as root")
      }
      target.symbols = symbols
    }
    if let functions = files[.functions] {
      target.traceable = ProbeTarget.functions(String(decoding: functions.bytes, as: UTF8.self))
    }
    if let config = files[.config] {
      let found = ProbeTarget.config(String(decoding: config.bytes, as: UTF8.self))
      guard !found.isEmpty else {
        throw TraceError(
          file: config.path, what: "holds no line CONFIG_…=",
          hint: "take /boot/config-RELEASE, or zcat /proc/config.gz")
      }
      target.config = found
    }
    if let btf = files[.btf] {
      let read = try KernelBTF(btf.bytes, file: btf.path)
      target.members = read.members
      target.nrPageTable = read.nrPageTable
    }
  }

  private func firstLine(_ name: Name) -> String? {
    files[name].flatMap {
      String(decoding: $0.bytes, as: UTF8.self).split(separator: "\n").first.map(String.init)
    }
  }
}
