import TraceFormat

/// Prints what is in a trace for programs: one object, keys always in the same order.
enum InfoJSON {
  /// Everything `info --format json` says, without its last line break.
  static func describe(_ contents: TraceContents) -> String {
    let header = contents.header
    var json = JSONText(indent: 2)
    json.object { json in
      json.string("file", contents.name)
      json.string("source", header.source)
      json.string("producer", header.producer)
      json.string("stage", header.stage)
      json.string("kernel", header.kernel)
      json.string("arch", header.arch)
      json.string("host", header.host)
      json.string("boot", header.boot)
      json.string("workload", header.workload)
      json.number("seed", header.seed)
      json.object("options") { json in
        for (name, value) in sorted(header.options) { json.string(name, value) }
      }
      json.number("cpus", header.cpus)
      json.object("clock") { json in
        json.string("name", header.clock.name)
        json.number("unitsPerSecond", header.clock.unitsPerSecond)
      }
      addContents(contents, to: &json)
      addKinds(contents, to: &json)
      if contents.columns != nil { addColumns(contents, to: &json) }
      json.object("counts") { json in
        for (name, value) in sorted(header.counts) { json.number(name, value) }
      }
      json.array("remarks") { json in
        for remark in header.remarks { json.string(nil, remark) }
      }
    }
    return json.text
  }

  private static func addContents(_ contents: TraceContents, to json: inout JSONText) {
    json.number("events", contents.events)
    json.number("inferred", contents.inferred)
    json.number("bytes", contents.size.bytes)
    json.number("blocks", contents.size.blocks)
    json.number("snapshots", contents.size.snapshots)
    json.raw("bytesPerEvent", contents.bytesPerEvent.map(twoDecimals) ?? "null")
    json.number("firstTime", contents.times?.lowerBound)
    json.number("lastTime", contents.times?.upperBound)
    json.array("losses") { json in
      for loss in contents.losses {
        json.object { json in
          json.number("ordinal", loss.ordinal)
          json.string("cause", loss.cause.name)
          json.number("cpu", loss.cpu)
          json.number("count", loss.count)
        }
      }
    }
  }

  private static func addColumns(_ contents: TraceContents, to json: inout JSONText) {
    json.array("columns") { json in
      for column in contents.filledColumns {
        json.object { json in
          json.string("name", column.name)
          json.number("bytes", column.stored)
          json.number("unpackedBytes", column.raw)
        }
      }
    }
  }

  private static func addKinds(_ contents: TraceContents, to json: inout JSONText) {
    let capabilities = contents.header.capabilities
    json.array("kinds") { json in
      for kind in EventKind.allCases {
        let count = contents.count(of: kind)
        guard count > 0 || capabilities[kind] != nil else { continue }
        json.object { json in
          json.string("name", kind.name)
          json.number("events", count)
          json.string("seen", capabilities[kind]?.rawValue)
          if let misses = capabilities.misses[kind.name] { json.number("misses", misses) }
          if let reason = capabilities.reasons[kind.name] { json.string("reason", reason) }
        }
      }
    }
    json.bool("missesAreCumulative", capabilities.missesAreCumulative)
  }
}
