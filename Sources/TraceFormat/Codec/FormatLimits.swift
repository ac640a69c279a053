/// The bounds of docs/FORMAT.md: checked before anything is allocated for a number in a file.
enum FormatLimits {
  /// Events in one block.
  static let blockEvents = 65_536
  /// Strings in one block.
  static let blockStrings = 65_536
  /// Bytes of the header's JSON.
  static let headerBytes = 1 << 20
  /// Bytes of a section header.
  static let sectionHeaderBytes = 4096
  /// Bytes of a task name.
  static let nameBytes = 64
  /// Bytes of one string.
  static let stringBytes = 65_535
  /// Bytes of a block's names, and of its strings, before compression.
  static let textBytes = 8 << 20
  /// Bytes of names or strings at which a writer ends a block early.
  static let textBytesOfWriter = 1 << 20
  /// Bytes of strings a reader keeps; then it forgets those of the oldest blocks.
  static let keptStringBytes = 64 << 20
  /// Task names a reader keeps; then it begins anew with those of the block at hand.
  static let keptNames = 1 << 18
  /// Bytes of a snapshot's payload.
  static let snapshotBytes = 64 << 20
  /// Events in a snapshot.
  static let snapshotEvents = 1 << 20
  /// Ordinal of the first event of a file.
  static let firstOrdinal = UInt64(1) << 62
  /// Bytes of the footer's payload.
  static let footerBytes = 1 << 30
}

/// Fixed byte strings and sizes of the file.
enum FormatConstants {
  /// First bytes of a file: no text, and damaged by every transfer that is not binary-safe.
  static let magic: [UInt8] = [0x89, 0x50, 0x54, 0x54, 0x0d, 0x0a, 0x1a, 0x0a]
  /// First bytes of a section.
  static let marker: [UInt8] = [0xd7, 0x50, 0x54, 0x54, 0xf3, 0x0d, 0x0a, 0x1c]
  /// Last bytes of a complete file.
  static let endMagic: [UInt8] = [0xe5, 0x50, 0x54, 0x54, 0x65, 0x6e, 0x64, 0x0a]
  /// A reader refuses any other major version; 0 is provisional and its minor must match too.
  static let major: UInt16 = 0
  /// Version within the major one.
  static let minor: UInt16 = 4
  /// Bytes of the file header before its JSON.
  static let fileHeaderBytes = 16
  /// Bytes of a section header that say its type and lengths.
  static let sectionPrefixBytes = 16
  /// Bytes of a block header before its column directory.
  static let blockFixedBytes = 112
  /// Bytes of one entry of the column directory.
  static let directoryEntryBytes = 16
  /// Bytes of a footer's section header.
  static let footerHeaderBytes = 64
  /// Bytes of an index entry.
  static let indexEntryBytes = 104
  /// Bytes of a snapshot's section header.
  static let snapshotHeaderBytes = 44
  /// Bytes of a snapshot's entry in the footer.
  static let snapshotEntryBytes = 24
  /// Bytes after the footer.
  static let trailerBytes = 20
}
