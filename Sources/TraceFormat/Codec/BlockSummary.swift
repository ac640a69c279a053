/// What the index says of a block's events, gathered while they are encoded.
struct BlockSummary {
  var timeMin: UInt64 = 0
  var timeMax: UInt64 = 0
  /// Bit `min(cpu, 63)` of every event.
  var cpuMask: UInt64 = 0
  /// Bit `min(kind, 127)` of every event, bits 0–63 and 64–127.
  var kindMaskLow: UInt64 = 0
  var kindMaskHigh: UInt64 = 0
  var tables = TableRange()

  /// Notes that an event of this raw kind is in the block.
  mutating func note(kind: UInt8) {
    let bit = UInt64(min(kind, 127))
    // A shift counts modulo 64.
    if bit < 64 { kindMaskLow |= 1 &<< bit } else { kindMaskHigh |= 1 &<< bit }
  }
}
