import Diagnostics
import Glibc

/// A regular file, open for reading at any offset.
package final class InputFile: Sendable {
  package let path: String
  /// In bytes, when the file was opened.
  package let size: Int
  private let descriptor: Int32

  /// Opens a file. Throws for folders, pipes and devices before anything is read from them.
  ///
  /// - Parameter advice: what the user can do if the file is missing.
  package init(_ path: String, advice: String? = nil) throws {
    let (descriptor, status) = try openForReading(path, advice: advice)
    self.path = path
    self.descriptor = descriptor
    size = Int(status.st_size)
  }

  deinit { close(descriptor) }

  /// Fills `buffer` with the bytes from `offset` on. Throws if the file ends before the buffer is full.
  package func read(into buffer: UnsafeMutableRawBufferPointer, at offset: Int) throws {
    var done = 0
    while done < buffer.count {
      let count = retryingInterrupts {
        pread(descriptor, buffer.baseAddress! + done, buffer.count - done, off_t(offset + done))
      }
      if count < 0 { throw Problem.system("reading", path) }
      if count == 0 {
        throw Problem(
          .badData, path, found: "the file ends at byte \(offset + done)",
          expected: "bytes up to \(offset + buffer.count); it had \(size) when it was opened")
      }
      done += count
    }
  }

  /// The `count` bytes that begin at `offset`.
  package func bytes(at offset: Int, count: Int) throws -> [UInt8] {
    try [UInt8](unsafeUninitializedCapacity: count) { buffer, initialized in
      try read(
        into: UnsafeMutableRawBufferPointer(
          rebasing: UnsafeMutableRawBufferPointer(buffer)[..<count]), at: offset)
      initialized = count
    }
  }
}

/// Opens a regular file and returns its descriptor and status.
///
/// - Parameters:
///   - allowsPipes: whether a pipe is accepted too; folders, sockets and devices never are.
///   - advice: what the user can do if the file is missing.
/// - Returns: A nonblocking descriptor, which the caller has to close, and its status.
func openForReading(
  _ path: String, allowsPipes: Bool = false, advice: String? = nil
) throws -> (descriptor: Int32, status: stat) {
  // Without O_NONBLOCK, opening a pipe would wait for a writer.
  let descriptor = retryingInterrupts { open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK) }
  guard descriptor >= 0 else { throw Problem.opening(path, advice: advice) }
  do {
    return (
      descriptor,
      try checkedStatus(of: descriptor, path, allowsPipes: allowsPipes, advice: advice)
    )
  } catch {
    close(descriptor)
    throw error
  }
}

/// The status of an open file, or of a pipe if `allowsPipes`. Throws for anything else.
func checkedStatus(
  of descriptor: Int32, _ name: String, allowsPipes: Bool, advice: String?
) throws -> stat {
  var status = stat()
  guard fstat(descriptor, &status) == 0 else { throw Problem.system("stat", name) }
  let kind = status.st_mode & S_IFMT
  guard kind == S_IFREG || (allowsPipes && kind == S_IFIFO) else {
    throw Problem(
      .badData, name, found: "this is \(fileKind(status.st_mode))",
      expected: allowsPipes ? "a file or a pipe" : "a file", advice: advice)
  }
  return status
}
