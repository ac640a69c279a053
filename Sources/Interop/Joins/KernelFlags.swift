/// The flags every record of a kernel's trace has, whose bits are the same in all of them.
enum KernelFlags {
  /// The letter the kernel prints for hardirq, softirq and NMI.
  static func letter(_ flags: UInt64) -> UInt8 {
    let isHard = flags & 0x08 != 0
    let isSoft = flags & 0x10 != 0
    if flags & 0x40 != 0 { return isHard ? 0x5A : 0x7A }
    if isHard { return isSoft ? 0x48 : 0x68 }
    return isSoft ? 0x73 : 0x2E
  }
}
