import Glibc

/// A regular file, open for reading at any place.
package final class InputFile: Sendable {
  package let path: String
  /// Its size in bytes when it was opened.
  package let size: Int
  private let descriptor: Int32

  /// Opens a file. Folders, pipes and devices are refused before anything is read from them.
  ///
  /// - Parameter advice: what the user can do where the file is missing.
  package init(_ path: String, advice: String? = nil) throws {
    // Without O_NONBLOCK, opening a pipe would wait for its writer.
    let descriptor = retryingInterrupts { open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK) }
    guard descriptor >= 0 else { throw Problem.opening(path, advice: advice) }
    var status = stat()
    guard fstat(descriptor, &status) == 0 else {
      let problem = Problem.system("stat", path)
      close(descriptor)
      throw problem
    }
    guard status.st_mode & S_IFMT == S_IFREG else {
      close(descriptor)
      throw Problem(
        .badData, path, found: "this is \(fileKind(status.st_mode))", expected: "a file",
        advice: advice)
    }
    self.path = path
    self.descriptor = descriptor
    size = Int(status.st_size)
  }

  deinit { close(descriptor) }

  /// Fills `buffer` with the bytes that begin at `offset`.
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

/// Reads a whole text file of at most `limit` bytes.
package func readText(_ path: String, limit: Int, advice: String? = nil) throws -> String {
  let file = try InputFile(path, advice: advice)
  guard file.size <= limit else {
    throw Problem(
      .badData, path, found: "the file has \(file.size) bytes", expected: "at most \(limit)")
  }
  guard let text = String(validating: try file.bytes(at: 0, count: file.size), as: UTF8.self) else {
    throw Problem(.badData, path, found: "the file is not text", expected: "UTF-8")
  }
  return text
}
