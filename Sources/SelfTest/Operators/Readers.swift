import TraceFormat

extension MutationOperator {
  /// Readers that are where nothing is left to read.
  static let readers: [MutationOperator] = [
    .init(
      "read-after-free", "a walker reads the content of a freed table",
      catches: ["I18"], related: ["I23"]
    ) { specimen, random in
      guard let table = specimen.table(&random, where: \.isPageIdleAfterFree) else { return false }
      let place = table.free! + 1
      specimen.insert(
        specimen.stranger(.readerAccess, at: place, table.pfn, 0), before: place)
      return true
    },
    .init(
      "reuse-under-reader", "a page is another table while a section that loaded it is open",
      catches: ["I22a"], related: ["I22b"]
    ) { specimen, random in
      guard let table = specimen.table(&random, where: \.isFollowedByAnother) else { return false }
      specimen.hold(table, by: .map, from: table.install! + 1, until: table.next! + 1)
      return true
    },
    .init(
      "lock-reuse-under-reader",
      "a lock is another table's while a section that may take it is open",
      catches: ["I22b"], related: ["I22a"]
    ) { specimen, random in
      guard
        let table = specimen.table(
          &random,
          where: { table in
            guard let install = table.install, let free = table.lockFree, let next = table.lockNext
            else { return false }
            return install < free && next > free && table.unlink != nil
          })
      else { return false }
      specimen.hold(table, by: .nolock, from: table.install! + 1, until: table.lockNext! + 1)
      return true
    },
    .init(
      "reader-left-open", "a section never ends, and its table's page is used again",
      catches: ["I22a"], related: ["I22b"]
    ) { specimen, random in
      guard let table = specimen.table(&random, where: \.isFollowedByAnother) else { return false }
      specimen.hold(table, by: .nolock, from: table.install! + 1, until: nil)
      return true
    },
  ]
}

extension Specimen {
  /// Lets a section load `table` before `from` and end before `until`, or never.
  mutating func hold(
    _ table: TableParts, by readerClass: ReaderClass, from: Int, until: Int?
  ) {
    let section = Self.strangerSection
    if let until { insert(stranger(.readerExit, at: until, section), before: until) }
    insert(stranger(.readerLoad, at: from, table.pfn, section), before: from)
    insert(
      stranger(.readerEnter, at: from, section, UInt64(readerClass.rawValue), 0), before: from)
  }
}
