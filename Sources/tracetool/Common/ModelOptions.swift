import ArgumentParser
import Foundation
import Replay
import TraceFormat

/// `--model`, `--bind`, `--define`: properties a user wrote.
struct ModelOptions: ParsableArguments {
  @Option(
    name: .customLong("model"),
    help: ArgumentHelp(
      "Judge this automaton (.dot) or formula (.ltl), too (docs/MODELS.md).", valueName: "FILE"))
  var models: [String] = []

  @Option(
    name: .customLong("bind"),
    help: ArgumentHelp(
      "What the models are about: table, lock, callback, reader or mm; NAME=… for one of them.",
      valueName: "[NAME=]OBJECT"))
  var bindings: [String] = []

  @Option(
    name: .customLong("define"),
    help: ArgumentHelp(
      "Value of a name that only the kernel knows in a model: limit=10ms, HZ=250.",
      valueName: "NAME=VALUE"))
  var definitions: [String] = []

  func validate() throws {
    _ = try parsedBindings()
    _ = try parsedDefinitions()
    if models.isEmpty, !bindings.isEmpty || !definitions.isEmpty {
      throw ValidationError("--bind and --define are about models: give one with --model")
    }
  }

  /// The models, read.
  func load() throws -> [Model] {
    let definitions = try parsedDefinitions()
    let (all, byName) = try parsedBindings()
    var loaded: [Model] = []
    for file in models {
      let bytes = try Self.read(file)
      let base = (file as NSString).lastPathComponent
      let name = (base as NSString).deletingPathExtension
      let model = try Model(
        bytes, file: file, binding: byName[name] ?? all, definitions: definitions)
      if loaded.contains(where: { $0.name == model.name }) {
        throw TraceError(
          file: file, what: "a second model of the name '\(model.name)'", hint: "rename one of them"
        )
      }
      loaded.append(model)
    }
    for name in byName.keys.sorted() where !loaded.contains(where: { $0.name == name }) {
      throw ValidationError("--bind \(name)=…: no model of that name is given")
    }
    return loaded
  }

  private func parsedBindings() throws -> (ObjectBinding?, [String: ObjectBinding]) {
    var all: ObjectBinding?
    var byName: [String: ObjectBinding] = [:]
    for text in bindings {
      let parts = text.split(separator: "=", maxSplits: 1).map(String.init)
      guard let binding = parts.last.flatMap(ObjectBinding.init(rawValue:)) else {
        let known = ObjectBinding.allCases.map(\.rawValue).joined(separator: ", ")
        throw ValidationError("--bind \(text): objects are \(known)")
      }
      if parts.count == 2 { byName[parts[0]] = binding } else { all = binding }
    }
    return (all, byName)
  }

  private func parsedDefinitions() throws -> ModelDefinitions {
    var result = ModelDefinitions()
    for text in definitions where !result.define(text) {
      throw ValidationError(
        "--define \(text): write NAME=NUMBER, with ns, us, ms, s or j behind it")
    }
    return result
  }

  /// The file, or its beginning where it is larger than any model.
  private static func read(_ file: String) throws -> [UInt8] {
    let url = URL(fileURLWithPath: file).resolvingSymlinksInPath()
    let attributes = try? FileManager.default.attributesOfItem(atPath: url.path)
    let type = attributes?[.type] as? FileAttributeType
    guard let type, type != .typeDirectory else {
      throw TraceError(
        file: file, what: type == nil ? "no such file" : "is a directory",
        hint: "models that come with tracetool are in Models/")
    }
    do {
      let handle = try FileHandle(forReadingFrom: url)
      defer { try? handle.close() }
      return [UInt8](try handle.read(upToCount: 1 << 21) ?? Data())
    } catch {
      throw TraceError(file: file, what: "cannot be read", hint: "check its permissions")
    }
  }
}
