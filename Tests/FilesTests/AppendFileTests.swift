import Files
import Glibc
import TestSupport
import Testing

@Suite("AppendFile")
struct AppendFileTests {
  @Test("Lines reach the file when they are flushed, not before")
  func flush() throws {
    try withTemporaryFolder { folder in
      let path = folder + "/log"
      let file = try AppendFile(path)
      #expect(file.path == path)
      file.append(line: "one")
      file.append(line: "größe")
      #expect(try contents(of: path) == [])
      try file.flush()
      #expect(try readText(path, limit: 100) == "one\ngröße\n")
      try file.flush()
      file.append(line: "")
      try file.flush()
      #expect(try readText(path, limit: 100) == "one\ngröße\n\n")
    }
  }

  @Test("An existing file is appended to")
  func continued() throws {
    try withTemporaryFolder { folder in
      let path = folder + "/log"
      for line in ["one", "two"] {
        let file = try AppendFile(path)
        file.append(line: line)
        try file.flush()
      }
      #expect(try readText(path, limit: 100) == "one\ntwo\n")
    }
  }

  @Test("A file cannot be opened a second time until it is closed")
  func lock() throws {
    try withTemporaryFolder { folder in
      let path = folder + "/log"
      do {
        let first = try AppendFile(path)
        let problem = expectProblem(.cannotCreate, about: path) { _ = try AppendFile(path) }
        #expect(problem?.found.contains("another process") == true)
        #expect(problem?.advice?.contains("--run") == true)
        first.append(line: "one")
        try first.flush()
      }
      let second = try AppendFile(path)
      second.append(line: "two")
      try second.flush()
      #expect(try readText(path, limit: 100) == "one\ntwo\n")
    }
  }

  @Test("A filter keeps the chosen lines in order, and later lines follow them")
  func filter() throws {
    try withTemporaryFolder { folder in
      let path = folder + "/log"
      let file = try AppendFile(path)
      for i in 0..<10 { file.append(line: "line \(i)") }
      try file.flush()
      var seen: [String] = []
      try file.filter { bytes, isComplete in
        #expect(isComplete)
        let line = String(decoding: bytes, as: UTF8.self)
        seen.append(line)
        return line.last?.wholeNumberValue.map { $0 % 3 == 0 } ?? false
      }
      #expect(seen == (0..<10).map { "line \($0)" })
      #expect(try readText(path, limit: 1000) == "line 0\nline 3\nline 6\nline 9\n")
      file.append(line: "more")
      try file.flush()
      #expect(try readText(path, limit: 1000) == "line 0\nline 3\nline 6\nline 9\nmore\n")
    }
  }

  @Test("A filter that keeps nothing empties the file")
  func keepNothing() throws {
    try withTemporaryFolder { folder in
      let path = folder + "/log"
      let file = try AppendFile(path)
      file.append(line: "one")
      try file.flush()
      try file.filter { _, _ in false }
      #expect(try contents(of: path) == [])
    }
  }

  @Test("A filter reads the file in chunks, and drops lines over the length limit")
  func longLines() throws {
    try withTemporaryFolder { folder in
      let path = folder + "/log"
      let long = Array(repeating: UInt8(ascii: "x"), count: AppendFile.maximumLineLength + 1)
      let short = (0..<40_000).map { "line \($0)\n" }.joined()
      try write(Array(short.utf8) + long + [10] + Array("end".utf8), to: path)
      let file = try AppendFile(path)
      var unfinished: [String] = []
      try file.filter { line, isComplete in
        if !isComplete { unfinished.append(String(decoding: line, as: UTF8.self)) }
        return true
      }
      #expect(unfinished == ["end"])
      #expect(try contents(of: path) == Array((short + "end\n").utf8))
    }
  }

  @Test("A file of which a filter keeps every line is not rewritten")
  func unchanged() throws {
    try withTemporaryFolder { folder in
      let path = folder + "/log"
      try write(Array("one\ntwo\n".utf8), to: path)
      var before = stat()
      var after = stat()
      let file = try AppendFile(path)
      #expect(stat(path, &before) == 0)
      try file.filter { _, _ in true }
      #expect(stat(path, &after) == 0)
      #expect(before.st_ino == after.st_ino)
      #expect(try names(in: folder) == ["log"])
    }
  }

  @Test("A file that is deleted while it is open is created again")
  func deleted() throws {
    try withTemporaryFolder { folder in
      let path = folder + "/log"
      let file = try AppendFile(path)
      file.append(line: "one")
      try file.flush()
      #expect(unlink(path) == 0)
      file.append(line: "two")
      try file.flush()
      #expect(file.wasReplaced)
      #expect(try readText(path, limit: 100) == "two\n")
    }
  }

  @Test("What cannot be appended to is moved aside with its contents")
  func movedAside() throws {
    try withTemporaryFolder { folder in
      for make in [
        { mkdir($0, 0o755) }, { mkfifo($0, 0o600) }, { symlink("/dev/full", $0) },
        // A sparse file of a terabyte.
        { close(creat($0, 0o600)) == 0 ? truncate($0, 1 << 40) : -1 },
      ] as [(String) -> Int32] {
        let path = folder + "/log"
        #expect(make(path) == 0)
        let file = try AppendFile(path)
        file.append(line: "one")
        try file.flush()
        #expect(try readText(path, limit: 100) == "one\n")
        let place = try #require(file.movedAside)
        #expect(try fileExists(place))
        #expect(unlink(path) == 0)
      }
      #expect(try names(in: folder) == ["log.old-1", "log.old-2", "log.old-3", "log.old-4"])
    }
  }

  @Test("A missing folder is an error")
  func cannotOpen() throws {
    try withTemporaryFolder { folder in
      let path = folder + "/no/log"
      expectProblem(.cannotCreate, about: path) { _ = try AppendFile(path) }
    }
  }

  @Test("Pending lines follow those of the file after a filter")
  func pendingLines() throws {
    try withTemporaryFolder { folder in
      let path = folder + "/log"
      let file = try AppendFile(path)
      file.append(line: "old")
      try file.flush()
      file.append(line: "new")
      try file.filter { _, _ in true }
      try file.flush()
      let found = try readText(path, limit: 100)
      #expect(found == "old\nnew\n")
    }
  }

  @Test("A filter splits lines that end in CRLF")
  func carriageReturns() throws {
    try withTemporaryFolder { folder in
      let path = folder + "/log"
      try AtomicFile.write(path, text: "one\r\ntwo\r\n")
      let file = try AppendFile(path)
      try file.filter { line, _ in !line.starts(with: Array("one".utf8)) }
      let found = try readText(path, limit: 100)
      #expect(found.hasPrefix("two"))
    }
  }

  @Test("After a line that did not fit, the next one starts on a new line")
  func halfLines() async {
    await #expect(processExitsWith: .success) {
      try withTemporaryFolder { folder in
        let path = folder + "/log"
        let file = try AppendFile(path)
        signal(SIGXFSZ, SIG_IGN)
        for (limit, line) in [(4, "0.125,17"), (1000, "0.25,18")] {
          var limits = rlimit(rlim_cur: rlim_t(limit), rlim_max: 1000)
          try #require(setrlimit(__rlimit_resource_t(RLIMIT_FSIZE.rawValue), &limits) == 0)
          file.append(line: line)
          try? file.flush()
        }
        let lines = try readText(path, limit: 1000).split(separator: "\n")
        #expect(lines.last == "0.25,18")
      }
    }
  }
}
