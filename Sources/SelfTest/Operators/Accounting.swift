import TraceFormat

extension MutationOperator {
  /// Statistics.
  static let accounting: [MutationOperator] = [
    .init(
      "wrong-stat-ctor", "a constructor counts two pages", catches: ["I33"]
    ) { specimen, random in
      guard let table = specimen.table(&random, where: { $0.construct != nil && $0.free != nil })
      else { return false }
      specimen.change(table.construct!) { $0.arg1 = 2 }
      return true
    },
    .init(
      "wrong-stat-dtor", "a destructor counts nothing", catches: ["I33"]
    ) { specimen, random in
      guard let table = specimen.table(&random, where: { $0.destruct != nil && $0.free != nil })
      else { return false }
      specimen.change(table.destruct!) { $0.arg1 = 0 }
      return true
    },
  ]
}
