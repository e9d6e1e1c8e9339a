import Files
import Glibc
import TestSupport
import Testing

@Suite("AppendFile")
struct AppendFileTests {
  @Test("Lines reach the file when they are flushed, and not before")
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

  @Test("A file that is there is continued")
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

  @Test("A second opener is refused until the first one is gone")
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

  @Test("A filter keeps the chosen lines in their order, and writing goes on behind them")
  func filter() throws {
    try withTemporaryFolder { folder in
      let path = folder + "/log"
      let file = try AppendFile(path)
      for i in 0..<10 { file.append(line: "line \(i)") }
      try file.flush()
      var seen: [String] = []
      try file.filter(limit: 1000) { line in
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
      try file.filter(limit: 1000) { _ in false }
      #expect(try contents(of: path) == [])
    }
  }

  @Test("A file that cannot be filtered is left as it is")
  func cannotFilter() throws {
    try withTemporaryFolder { folder in
      let path = folder + "/log"
      let file = try AppendFile(path)
      file.append(line: "one")
      try file.flush()
      expectProblem(.badData, about: path) { try file.filter(limit: 3) { _ in true } }
      #expect(try readText(path, limit: 100) == "one\n")
    }
  }

  @Test("A folder in the way and a missing folder are problems")
  func cannotOpen() throws {
    try withTemporaryFolder { folder in
      for path in [folder, folder + "/no/log"] {
        expectProblem(.cannotCreate, about: path) { _ = try AppendFile(path) }
      }
    }
  }

  @Test("Lines that wait are behind those of the file after a filter")
  func pendingLines() throws {
    try withTemporaryFolder { folder in
      let path = folder + "/log"
      let file = try AppendFile(path)
      file.append(line: "old")
      try file.flush()
      file.append(line: "new")
      try file.filter(limit: 100) { _ in true }
      try file.flush()
      let found = try readText(path, limit: 100)
      #expect(found == "old\nnew\n")
    }
  }

  @Test("Lines that end in a carriage return too are lines to a filter")
  func carriageReturns() throws {
    try withTemporaryFolder { folder in
      let path = folder + "/log"
      try AtomicFile.write(path, text: "one\r\ntwo\r\n")
      let file = try AppendFile(path)
      try file.filter(limit: 100) { !$0.hasPrefix("one") }
      let found = try readText(path, limit: 100)
      #expect(found.hasPrefix("two"))
    }
  }

  @Test("After a line that did not fit, the next one has a line of its own")
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
