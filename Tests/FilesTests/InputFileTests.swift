import Diagnostics
import Files
import Foundation
import Glibc
import TestSupport
import Testing

@Suite("InputFile")
struct InputFileTests {
  @Test("Any range of a file can be read, in any order")
  func pieces() throws {
    try withTemporaryFolder { folder in
      let path = folder + "/a"
      let bytes = (0..<1000).map { UInt8(truncatingIfNeeded: $0 * $0 >> 3) }
      try write(bytes, to: path)
      let file = try InputFile(path)
      #expect(file.path == path)
      #expect(file.size == 1000)
      for range in [990..<1000, 0..<1, 0..<0, 500..<777, 0..<1000, 1000..<1000] {
        #expect(try file.bytes(at: range.lowerBound, count: range.count) == Array(bytes[range]))
      }
    }
  }

  @Test("Reading past the end is an error, at any offset", arguments: [0, 3, 4, 5, 1 << 40])
  func pastTheEnd(offset: Int) throws {
    try withTemporaryFolder { folder in
      let path = folder + "/a"
      try write([1, 2, 3, 4], to: path)
      let file = try InputFile(path)
      expectProblem(.badData, about: path) { _ = try file.bytes(at: offset, count: 5) }
    }
  }

  @Test("For a file that shrinks after it was opened, the error names both sizes")
  func shrinking() throws {
    try withTemporaryFolder { folder in
      let path = folder + "/a"
      try write(Array(repeating: 7, count: 10_000), to: path)
      let file = try InputFile(path)
      #expect(truncate(path, 4000) == 0)
      let problem = expectProblem(.badData, about: path) {
        _ = try file.bytes(at: 0, count: 10_000)
      }
      #expect(problem?.found.contains("4000") == true)
      #expect(problem?.expected?.contains("10000") == true)
      #expect(try file.bytes(at: 3000, count: 1000) == Array(repeating: 7, count: 1000))
    }
  }

  @Test(
    "A missing file is an error with the caller's advice", arguments: ["no", "file/below", ""])
  func missing(name: String) throws {
    try withTemporaryFolder { folder in
      try write([1], to: folder + "/file")
      let path = name.isEmpty ? "" : folder + "/" + name
      let problem = expectProblem(.missingInput, about: path) {
        _ = try InputFile(path, advice: "Look elsewhere.")
      }
      #expect(problem?.advice == "Look elsewhere.")
      #expect(problem?.found == "no such file")
    }
  }

  @Test("A file without read permission is an error that does not say it is missing")
  func forbidden() async {
    await #expect(processExitsWith: .success) {
      // Root can read everything, so the process becomes the user nobody.
      if geteuid() == 0 { try #require(seteuid(65534) == 0) }
      try withTemporaryFolder { folder in
        let path = folder + "/a"
        try write([1], to: path)
        chmod(path, 0o000)
        let problem = expectProblem(.missingInput, about: path) { _ = try InputFile(path) }
        #expect(problem?.found == "cannot be read: Permission denied")
      }
    }
  }

  @Test("A folder is an error")
  func folder() throws {
    try withTemporaryFolder { folder in
      let problem = expectProblem(.badData, about: folder) { _ = try InputFile(folder) }
      #expect(problem?.found == "this is a folder")
    }
  }

  @Test("A pipe is an error at once, without waiting for a writer")
  func pipe() async {
    await #expect(processExitsWith: .success) {
      try withTemporaryFolder { folder in
        let path = folder + "/pipe"
        #expect(mkfifo(path, 0o600) == 0)
        // If opening waits for a writer, the alarm kills the process.
        alarm(60)
        let problem = expectProblem(.badData, about: path) { _ = try InputFile(path) }
        #expect(problem?.found == "this is a pipe")
      }
    }
  }

  @Test("Devices are errors", arguments: ["/dev/null", "/dev/zero"])
  func device(path: String) {
    let problem = expectProblem(.badData, about: path) { _ = try InputFile(path) }
    #expect(problem?.found == "this is a device")
  }

  @Test("A link to a file can be read; a link to itself is an error")
  func links() throws {
    try withTemporaryFolder { folder in
      try write([9], to: folder + "/a")
      #expect(symlink(folder + "/a", folder + "/link") == 0)
      #expect(try InputFile(folder + "/link").bytes(at: 0, count: 1) == [9])
      #expect(symlink(folder + "/circle", folder + "/circle") == 0)
      expectProblem(.missingInput, about: folder + "/circle") {
        _ = try InputFile(folder + "/circle")
      }
    }
  }

  @Test("Descriptors are closed, also after an error")
  func descriptors() async {
    await #expect(processExitsWith: .success) {
      try withTemporaryFolder { folder in
        try write([1], to: folder + "/a")
        for _ in 0..<5000 {
          _ = try InputFile(folder + "/a").bytes(at: 0, count: 1)
          #expect(throws: Problem.self) { try InputFile(folder) }
        }
        // The system returns the lowest free descriptor.
        let next = open(folder + "/a", O_RDONLY)
        #expect(next >= 0 && next < 1000)
      }
    }
  }
}

@Suite("readText")
struct ReadTextTests {
  @Test("A text of exactly the limit can be read")
  func text() throws {
    try withTemporaryFolder { folder in
      let path = folder + "/a"
      for text in ["", "a", "größe\r\n🙂\u{0}"] {
        try AtomicFile.write(path, text: text)
        #expect(try readText(path, limit: text.utf8.count).utf8.elementsEqual(text.utf8))
      }
    }
  }

  @Test("A file over the limit is an error")
  func tooLarge() throws {
    try withTemporaryFolder { folder in
      let path = folder + "/a"
      try AtomicFile.write(path, text: "12345")
      let problem = expectProblem(.badData, about: path) { _ = try readText(path, limit: 4) }
      #expect(problem?.found.contains("5 bytes") == true)
      #expect(problem?.expected == "at most 4")
    }
  }

  @Test(
    "Bytes that are not UTF-8 are an error",
    arguments: [[0xFF], [0x61, 0xC3], [0xC0, 0xAF], [0xED, 0xA0, 0x80]])
  func notUTF8(bytes: [UInt8]) throws {
    try withTemporaryFolder { folder in
      let path = folder + "/a"
      try write(bytes, to: path)
      let problem = expectProblem(.badData, about: path) { _ = try readText(path, limit: 100) }
      #expect(problem?.expected == "UTF-8")
    }
  }

  @Test("A missing text file is an error with the caller's advice")
  func missing() throws {
    try withTemporaryFolder { folder in
      let problem = expectProblem(.missingInput, about: folder + "/no") {
        _ = try readText(folder + "/no", limit: 1, advice: "Look elsewhere.")
      }
      #expect(problem?.advice == "Look elsewhere.")
    }
  }

  @Test("A file in /proc, whose size is 0, is read to its end")
  func procFile() throws {
    #expect(try readText("/proc/self/stat", limit: 1 << 16).hasSuffix("\n"))
    let problem = expectProblem(.badData, about: "/proc/self/stat") {
      _ = try readText("/proc/self/stat", limit: 4)
    }
    #expect(problem?.found == "there are more than 4 bytes")
  }

  @Test("readText rejects a pipe; readTextOrPipe reads it to its end")
  func pipe() throws {
    try withTemporaryFolder { folder in
      let path = folder + "/pipe"
      try #require(mkfifo(path, 0o600) == 0)
      _ = expectProblem(.badData, about: path) { _ = try readText(path, limit: 10) }
      for (length, limit) in [(0, 10), (200_000, 200_000), (200_001, 200_000)] {
        let writer = Thread {
          // Open the pipe after the reader has.
          usleep(50_000)
          let descriptor = open(path, O_WRONLY)
          var rest = [UInt8](repeating: 97, count: length)[...]
          while !rest.isEmpty {
            let count = rest.withUnsafeBytes { Glibc.write(descriptor, $0.baseAddress, $0.count) }
            if count <= 0 { break }
            rest = rest.dropFirst(count)
          }
          close(descriptor)
        }
        signal(SIGPIPE, SIG_IGN)
        writer.start()
        guard length <= limit else {
          _ = expectProblem(.badData, about: path) { _ = try readTextOrPipe(path, limit: limit) }
          continue
        }
        let input = try readTextOrPipe(path, limit: limit)
        #expect(input.text.utf8.count == length && !input.isNamedFile && input.name == path)
      }
    }
  }

  @Test("A text with a stray NUL byte is still UTF-8")
  func stray() throws {
    try withTemporaryFolder { folder in
      for text in ["s\0eed: 1", "\0seed: 1", "seed: 1\0", "\0"] {
        try AtomicFile.write(folder + "/a", text: text)
        #expect(try readText(folder + "/a", limit: 100) == text)
        #expect(try readTextOrPipe(folder + "/a", limit: 100).isNamedFile)
      }
    }
  }
}
