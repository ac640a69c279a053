/// What stands before an event's name in ftrace text, where the kernel puts it:
/// `COMM-PID (TGID) [CPU] FLAGS TIME: `, or the same without a thread group.
///
/// Most lines are of a task that had another line just before. What stands before the flags is the
/// same text then: it is compared, and not read again.
struct LineColumns {
  /// What a line said before its flags.
  private struct Task {
    /// The text, in words that overlap; line feeds, which no line holds, where there is none yet.
    var words = InlineArray<5, UInt64>(repeating: ByteWord.all(0x0A))
    var pid: UInt32 = 0
    var cpu: UInt16 = 0
    var comm = CommandName()
    /// Column where the command begins.
    var start = 0
  }

  /// What the columns of a line say.
  struct Found {
    /// Place of the task in ``tasks``.
    fileprivate var task: Int
    fileprivate var interrupt: UInt8
    fileprivate var time: UInt64
    /// Where the event's name begins.
    var end: Int
  }

  /// The tasks of the last lines, each at a place its text tells.
  private var tasks = [Task](repeating: Task(), count: 16)
  /// Column of the flags of the lines before; 0 = there was none.
  private var flags = 0
  /// The blank before the time, the seconds and the point, and the bytes of a word they fill.
  private var secondsText: UInt64 = 1
  private var secondsMask: UInt64 = 0
  private var secondsLength = 0
  /// Nanoseconds of them.
  private var seconds: UInt64 = 0

  /// Reads the columns of `bytes`; nil for columns of any other form, and for whatever is not
  /// certain.
  @inline(always)
  mutating func read(_ bytes: Span<UInt8>) -> Found? {
    guard bytes.count >= 72, let task = knownTask(bytes) ?? newTask(bytes) else { return nil }
    // Five columns of flags and a blank.
    let word = bytes.word(at: flags)
    guard ByteWord.first(ByteWord.matches(word, 0x20)) == 5, UInt8(word & 0xFF) &- 0x30 >= 10,
      let time = knownTime(bytes) ?? newTime(bytes)
    else { return nil }
    return Found(
      task: task, interrupt: UInt8(truncatingIfNeeded: word >> 16), time: time.value, end: time.end)
  }

  /// Writes down what ``read(_:)`` found.
  @inline(always)
  func note(_ found: Found, in event: inout RecordedEvent) {
    let task = tasks[found.task]
    event.pid = task.pid
    event.cpu = task.cpu
    event.comm = task.comm
    event.interrupt = found.interrupt
    event.isCounter = false
    event.time = found.time
  }

  /// Writes down what ``read(_:)`` found.
  func note(_ found: Found, in line: inout EventLine) {
    let task = tasks[found.task]
    line.pid = task.pid
    line.cpu = task.cpu
    line.commStart = task.start
    line.commEnd = 16
    line.interrupt = found.interrupt
    line.isCounter = false
    line.time = found.time
  }

  /// Finds the task among those of the lines before.
  @inline(always)
  private func knownTask(_ bytes: Span<UInt8>) -> Int? {
    guard flags > 0, bytes[16] == 0x2D else { return nil }
    let words = Self.words(bytes, before: flags)
    let place = Self.place(words)
    var difference: UInt64 = 0
    for word in 0..<5 { difference |= tasks[place].words[word] ^ words[word] }
    return difference == 0 ? place : nil
  }

  /// The bytes before column `end`, which is 31 or 41, but for the one at 16.
  @inline(always)
  private static func words(_ bytes: Span<UInt8>, before end: Int) -> InlineArray<5, UInt64> {
    [
      bytes.word(at: 0), bytes.word(at: 8), bytes.word(at: 17), bytes.word(at: end &- 16),
      bytes.word(at: end &- 8),
    ]
  }

  /// Where a task is looked for: by its pid and CPU.
  @inline(always)
  private static func place(_ words: InlineArray<5, UInt64>) -> Int {
    Int(truncatingIfNeeded: ((words[2] ^ words[4]) &* 0x9E37_79B9_7F4A_7C15) >> 60)
  }

  /// Reads the columns of a task that had none of the lines before.
  @inline(never)
  private mutating func newTask(_ bytes: Span<UInt8>) -> Int? {
    guard bytes[16] == 0x2D else { return nil }
    // The pid, padded to seven columns, and a blank.
    let pid = bytes.word(at: 17)
    let pidDigits = ByteWord.first(ByteWord.others(pid))
    guard pidDigits > 0, pidDigits < 8,
      pid >> UInt64(8 * pidDigits) == ByteWord.all(0x20) >> UInt64(8 * pidDigits)
    else { return nil }
    var at = 25
    if bytes[at] == 0x28 {
      guard Self.isThreadGroup(bytes) else { return nil }
      at = 35
    }
    // `[`, three digits, `]`, blank.
    let cpu = bytes.word(at: at)
    guard UInt8(truncatingIfNeeded: cpu) == 0x5B, UInt16(truncatingIfNeeded: cpu >> 32) == 0x205D,
      ByteWord.first(ByteWord.others(cpu >> 8)) == 3, let start = Self.commandStart(bytes)
    else { return nil }
    if flags != at + 6 {
      // Texts of another form would be compared with columns of this one.
      tasks = [Task](repeating: Task(), count: tasks.count)
      flags = at + 6
      (secondsText, secondsMask) = (1, 0)
    }
    let words = Self.words(bytes, before: flags)
    let place = Self.place(words)
    tasks[place] = Task(
      words: words, pid: UInt32(ByteWord.decimal(pid, pidDigits)),
      cpu: UInt16(ByteWord.decimal(cpu >> 8, 3)), comm: CommandName(bytes, start, 16),
      start: start)
    return place
  }

  /// `(TGID) ` from column 25 on, seven columns of digits, blanks or `-` in the parentheses.
  private static func isThreadGroup(_ bytes: Span<UInt8>) -> Bool {
    let group = bytes.word(at: 26)
    let bad =
      ByteWord.others(group) & ~ByteWord.exactly(group, 0x20) & ~ByteWord.exactly(group, 0x2D)
    return bad == 0x8000_0000_0000_0000 && group >> 56 == 0x29 && bytes[34] == 0x20
  }

  /// First byte of the command in the first 16 columns; nil if blanks are not all there is before.
  private static func commandStart(_ bytes: Span<UInt8>) -> Int? {
    var first = ByteWord.first(~ByteWord.exactly(bytes.word(at: 0), 0x20) & ByteWord.all(0x80))
    if first == 8 {
      first += ByteWord.first(~ByteWord.exactly(bytes.word(at: 8), 0x20) & ByteWord.all(0x80))
    }
    return first < 16 && bytes[first] > 0x20 ? first : nil
  }

  /// The time, where it is of the same second as that of the line before and has six digits behind
  /// the point.
  @inline(always)
  private func knownTime(_ bytes: Span<UInt8>) -> (value: UInt64, end: Int)? {
    guard bytes.word(at: flags &+ 5) & secondsMask == secondsText else { return nil }
    let at = flags &+ 5 &+ secondsLength
    let fraction = bytes.word(at: at)
    // Six digits, a colon and a blank.
    guard fraction >> 48 == 0x203A, ByteWord.first(ByteWord.others(fraction)) == 6 else {
      return nil
    }
    return (seconds &+ ByteWord.decimal(fraction, 6) &* 1000, at &+ 8)
  }

  /// `  SECONDS.FRACTION: ` with a fraction of 6 or 9 digits.
  @inline(never)
  private mutating func newTime(_ bytes: Span<UInt8>) -> (value: UInt64, end: Int)? {
    let start = flags + 6
    let blanks = ByteWord.first(
      ~ByteWord.exactly(bytes.word(at: start), 0x20) & ByteWord.all(0x80))
    var at = start + blanks
    guard at + 24 <= bytes.count else { return nil }
    let whole = bytes.word(at: at)
    let digits = ByteWord.first(ByteWord.others(whole))
    guard digits > 0, digits < 8, bytes[at + digits] == 0x2E else { return nil }
    at += digits + 1
    let fraction = bytes.word(at: at)
    var nanoseconds: UInt64
    let next: Int
    switch ByteWord.first(ByteWord.others(fraction)) {
    case 6:
      nanoseconds = ByteWord.decimal(fraction, 6) &* 1000
      next = at + 6
    case 8 where bytes[at + 8] &- 0x30 < 10:
      nanoseconds = ByteWord.decimal(fraction, 8) &* 10 &+ UInt64(bytes[at + 8] &- 0x30)
      next = at + 9
    default: return nil
    }
    guard bytes[next] == 0x3A, bytes[next + 1] == 0x20 else { return nil }
    seconds = ByteWord.decimal(whole, digits) &* 1_000_000_000
    secondsLength = at - flags - 5
    if secondsLength <= 8 {
      secondsMask = ByteWord.prefix(.max, secondsLength)
      secondsText = bytes.word(at: flags + 5) & secondsMask
    } else {
      // Nothing equals this: long times are read as any other.
      (secondsText, secondsMask) = (1, 0)
    }
    return (seconds &+ nanoseconds, next + 2)
  }
}
