/// One line of ftrace text taken apart; offsets count from the start of the line.
///
/// `comm-pid [(tgid)] [cpu] flags time: event: rest`
struct EventLine: Equatable {
  var commStart = 0
  var commEnd = 0
  var pid: UInt32 = 0
  var cpu: UInt16 = 0
  /// Column of the flags that says hardirq/softirq; `.` where there are no flags.
  var interrupt: UInt8 = 0x2E
  /// Nanoseconds, or the value of a counter clock.
  var time: UInt64 = 0
  /// The time had no fraction: the clock only counts.
  var isCounter = false
  /// Printed by a BPF program.
  var isBPF = false
  /// The event's name.
  var nameStart = 0
  var nameEnd = 0
  /// First byte of `(symbol+offset/size)`, where there is one; else 0.
  var symbolStart = 0
  /// What follows the name and the symbol.
  var restStart = 0

  /// What a line is.
  enum Form: Equatable {
    case event
    /// `name <-parent` of the function tracer.
    case function
    /// `# …`, or nothing.
    case comment
    /// `CPU:n [LOST m EVENTS]` or `CPU:n [m EVENTS DROPPED]`; the count where it is given.
    case loss(cpu: UInt16, count: UInt64?)
    case bad
  }
}
