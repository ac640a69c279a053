extension SideFiles {
  /// Whether the kernel allocates ptlocks: `ptlock_alloc()` is a function of its own exactly where
  /// it does (ALLOC_SPLIT_PTLOCKS). Asked of the symbol table that lies beside a capture, or one
  /// folder up where several captures of one kernel share it; nil if there is none that lists the
  /// functions of mm/memory.c.
  static func lockObjects(_ read: (String) -> [UInt8]?) -> Bool? {
    for folder in ["", "../"] {
      for name in ["kallsyms-subset.txt", "kallsyms.txt", "kallsyms"] {
        for end in ["", ".zst"] {
          guard let bytes = read(folder + name + end) else { continue }
          let lines = String(decoding: bytes, as: UTF8.self).split(separator: "\n")
          if let found = lockObjects(lines) { return found }
        }
      }
    }
    return nil
  }

  /// The same of the lines of one symbol table: address, type, name, perhaps a module.
  static func lockObjects(_ lines: [Substring]) -> Bool? {
    var listsMemory = false
    for line in lines {
      let words = line.split(separator: " ", maxSplits: 3)
      guard words.count >= 3 else { continue }
      if words[2] == "ptlock_alloc" || words[2].hasPrefix("ptlock_alloc.") { return true }
      if words[2] == "__pte_alloc" { listsMemory = true }
    }
    return listsMemory ? false : nil
  }
}
