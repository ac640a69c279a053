import Glibc

/// Where a reader's bytes come from: a file, a pipe, or memory.
final class TraceInput {
  private enum Source {
    case file(FileDescriptor)
    case pipe(FileDescriptor)
    case memory([UInt8])
  }

  /// Name for messages.
  let name: String
  /// Length in bytes; nil for a pipe.
  let size: UInt64?
  private let source: Source
  /// Bytes a pipe has given.
  private var position: UInt64 = 0
  /// Bytes that have been read so far, those read twice counted twice.
  private(set) var bytesRead: UInt64 = 0

  /// Opens a file; `-` is standard input.
  init(path: String) throws {
    name = path
    do {
      let file =
        path == "-" ? FileDescriptor.standardInput : try FileDescriptor(reading: path)
      let status = try file.status()
      if status.kind == .directory { throw FileDescriptor.Failure(number: EISDIR) }
      // Standard input redirected from a file may stand anywhere in it: read it as a pipe.
      let isFile = status.kind == .regular && path != "-"
      source = isFile ? .file(file) : .pipe(file)
      size = isFile ? status.size : nil
    } catch let failure as FileDescriptor.Failure {
      throw Self.explain(failure, path)
    }
  }

  /// Reads from memory.
  init(bytes: [UInt8], name: String) {
    self.name = name
    source = .memory(bytes)
    size = UInt64(bytes.count)
  }

  deinit {
    switch source {
    case .file(let file): try? file.close()
    case .pipe(let file) where name != "-": try? file.close()
    default: break
    }
  }

  /// Whether any place can be read at any time.
  var isSeekable: Bool { size != nil }

  /// Appends up to `count` bytes from `offset` to `bytes` and returns how many there were; fewer
  /// only at the end. From a pipe, `offset` must be where the last read ended.
  ///
  /// Bytes a pipe only promises are not allocated at once: it is asked for piece by piece.
  func read(_ count: Int, at offset: UInt64, appendingTo bytes: inout [UInt8]) throws -> Int {
    let before = bytes.count
    defer { bytesRead += UInt64(bytes.count - before) }
    do {
      switch source {
      case .memory(let memory):
        let start = min(Int(clamping: offset), memory.count)
        let end = start + min(count, memory.count - start)
        bytes.append(contentsOf: memory[start..<end])
        return end - start
      case .file(let file):
        let left = Int(clamping: size! - min(offset, size!))
        return try read(min(count, left), from: file, at: offset, into: &bytes)
      case .pipe(let file):
        precondition(offset == position, "a pipe is read in order")
        var done = 0
        while done < count {
          let piece = min(count - done, 1 << 20)
          let got = try read(piece, from: file, at: nil, into: &bytes)
          done += got
          if got < piece { break }
        }
        position += UInt64(done)
        return done
      }
    } catch {
      throw Self.explain(error, name)
    }
  }

  private func read(
    _ count: Int, from file: FileDescriptor, at offset: UInt64?, into bytes: inout [UInt8]
  ) throws(FileDescriptor.Failure) -> Int {
    let start = bytes.count
    bytes.resize(to: start + count)
    let got = try file.read(into: &bytes, start, start + count, at: offset)
    bytes.resize(to: start + got)
    return got
  }

  private static func explain(_ failure: FileDescriptor.Failure, _ path: String) -> TraceError {
    switch failure.number {
    case EISDIR:
      TraceError(file: path, what: "is a directory", hint: "name a trace file inside it")
    case ENOENT: TraceError(file: path, what: "does not exist")
    default: TraceError(file: path, what: "cannot read: \(failure.reason)")
    }
  }
}
