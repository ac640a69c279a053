import Foundation

/// Checks a JSON value against the part of JSON Schema that docs/check.schema.json uses.
///
/// An unknown keyword is an error: what is not checked must not look checked.
struct JSONSchema {
  private let root: [String: Any]

  init(_ text: Data) throws {
    root = try JSONSerialization.jsonObject(with: text) as? [String: Any] ?? [:]
  }

  /// What is wrong with `value`, one line each with the path to it; empty if nothing is.
  func complaints(about value: Any) -> [String] { check(value, root, "$") }

  private func check(_ value: Any, _ schema: [String: Any], _ path: String) -> [String] {
    var found: [String] = []
    for (keyword, rule) in schema {
      switch keyword {
      case "$schema", "title", "$defs": break
      case "$ref": found += check(value, definition(rule), path)
      case "type":
        let names = rule as? [String] ?? [rule as? String ?? ""]
        let fits = names.contains { Self.isOf($0, value) }
        if !fits { found.append("\(path): not \(names)") }
      case "enum":
        let values = (rule as? [NSObject]) ?? []
        if !values.contains(where: { $0.isEqual(value) }) { found.append("\(path): \(value)") }
      case "minimum":
        if let number = value as? Double, let least = rule as? Double, number < least {
          found.append("\(path): \(number) < \(least)")
        }
      case "pattern":
        guard let text = value as? String, let pattern = rule as? String else { break }
        if text.range(of: pattern, options: .regularExpression) == nil {
          found.append("\(path): '\(text)' is not \(pattern)")
        }
      case "required":
        let keys = (value as? [String: Any])?.keys.map(\.self) ?? []
        for key in rule as? [String] ?? [] where !keys.contains(key) {
          found.append("\(path): no \(key)")
        }
      case "properties", "additionalProperties":
        if keyword == "properties" || schema["properties"] == nil {
          found += members(value, schema, path)
        }
      case "items":
        guard let items = value as? [Any], let rule = rule as? [String: Any] else { break }
        for (index, item) in items.enumerated() { found += check(item, rule, "\(path)[\(index)]") }
      default: found.append("\(path): the schema says \(keyword), which is not checked here")
      }
    }
    return found
  }

  private func members(_ value: Any, _ schema: [String: Any], _ path: String) -> [String] {
    guard let object = value as? [String: Any] else { return [] }
    let properties = schema["properties"] as? [String: Any] ?? [:]
    var found: [String] = []
    for (key, member) in object {
      if let rule = properties[key] as? [String: Any] {
        found += check(member, rule, "\(path).\(key)")
      } else if let rule = schema["additionalProperties"] as? [String: Any] {
        found += check(member, rule, "\(path).\(key)")
      } else if schema["additionalProperties"] as? Bool == false {
        found.append("\(path): unknown key \(key)")
      }
    }
    return found
  }

  private func definition(_ reference: Any) -> [String: Any] {
    let name = (reference as? String ?? "").split(separator: "/").last.map(String.init) ?? ""
    return (root["$defs"] as? [String: Any])?[name] as? [String: Any] ?? ["missing": name]
  }

  private static func isOf(_ type: String, _ value: Any) -> Bool {
    switch type {
    case "object": value is [String: Any]
    case "array": value is [Any]
    case "string": value is String
    case "null": value is NSNull
    // A number of Foundation does not tell true from 1.
    case "boolean": (value as? NSNumber).map { $0 == 0 || $0 == 1 } ?? false
    case "integer":
      (value as? NSNumber).map { $0.doubleValue.rounded() == $0.doubleValue } ?? false
    default: false
    }
  }
}
