import Files
import Glibc
import TestSupport
import Testing

@Suite("AtomicFile")
struct AtomicFileTests {
  private struct Stop: Error {}

  @Test(
    "All bytes are written, and no other file is left in the folder",
    arguments: [0, 1, 4096, 4097, 3_000_000])
  func writes(count: Int) throws {
    var generator = TestGenerator(state: 3)
    let bytes = (0..<count).map { _ in UInt8(truncatingIfNeeded: generator.next()) }
    try withTemporaryFolder { folder in
      let path = folder + "/a.bin"
      try AtomicFile.write(path) { file in
        try file.append(Array(bytes.prefix(count / 3)))
        try file.append([])
        try bytes[(count / 3)...].withUnsafeBytes { try file.append($0) }
      }
      #expect(try contents(of: path) == bytes)
      #expect(try names(in: folder) == ["a.bin"])
    }
  }

  @Test("A shorter file replaces a longer one completely")
  func replaces() throws {
    try withTemporaryFolder { folder in
      let path = folder + "/a"
      try AtomicFile.write(path, text: "something long")
      try AtomicFile.write(path, text: "é\n")
      #expect(try contents(of: path) == [0xC3, 0xA9, 0x0A])
      #expect(try names(in: folder) == ["a"])
    }
  }

  @Test("After an error while writing, the file is unchanged and the error is rethrown")
  func bodyThrows() throws {
    try withTemporaryFolder { folder in
      let path = folder + "/a"
      try AtomicFile.write(path, text: "old")
      #expect(throws: Stop.self) {
        try AtomicFile.write(path) { file in
          try file.append([1, 2, 3])
          throw Stop()
        }
      }
      #expect(try contents(of: path) == Array("old".utf8))
      #expect(try names(in: folder) == ["a"])
    }
  }

  @Test("After an error, no file is created where there was none")
  func nothingBefore() throws {
    try withTemporaryFolder { folder in
      #expect(throws: Stop.self) { try AtomicFile.write(folder + "/a") { _ in throw Stop() } }
      let left = try names(in: folder)
      #expect(left.isEmpty)
    }
  }

  @Test("Readers see the old file until the body returns")
  func readersSeeTheOld() throws {
    try withTemporaryFolder { folder in
      let path = folder + "/a"
      try AtomicFile.write(path, text: "old")
      try AtomicFile.write(path) { file in
        try file.append(Array("new".utf8))
        #expect(try contents(of: path) == Array("old".utf8))
      }
      #expect(try contents(of: path) == Array("new".utf8))
    }
  }

  @Test("A file that was opened before a write keeps its content")
  func openReaders() throws {
    try withTemporaryFolder { folder in
      let path = folder + "/a"
      try AtomicFile.write(path, text: "old")
      let reader = try InputFile(path)
      try AtomicFile.write(path, text: "new")
      #expect(try reader.bytes(at: 0, count: 3) == Array("old".utf8))
    }
  }

  @Test("Only the temporary files of killed writers are removed as leftovers")
  func leftovers() throws {
    try withTemporaryFolder { folder in
      let others = [".a.17-0.partial", ".b.partial", ".vqvae-1-x.partial", "a", "a.partial"]
      for name in others + [".vqvae-17-0.partial"] {
        try AtomicFile.write("\(folder)/\(name)", text: "x")
      }
      AtomicFile.removeLeftovers(in: folder)
      #expect(try names(in: folder) == others)
      AtomicFile.removeLeftovers(in: "\(folder)/missing")
    }
  }

  @Test("The temporary file of a live writer is not removed")
  func livingWriter() throws {
    try withTemporaryFolder { folder in
      try AtomicFile.write(folder + "/a") { file in
        try file.append(Array("one".utf8))
        AtomicFile.removeLeftovers(in: folder)
        #expect(try names(in: folder).count == 1)
      }
      #expect(try names(in: folder) == ["a"])
    }
  }

  @Test("A name may be as long as the file system allows")
  func longName() throws {
    try withTemporaryFolder { folder in
      let name = String(repeating: "n", count: 255)
      try AtomicFile.write("\(folder)/\(name)", text: "x")
      #expect(try names(in: folder) == [name])
    }
  }

  @Test("A folder is not replaced by a file")
  func folderAsTarget() throws {
    try withTemporaryFolder { folder in
      for path in [folder, folder + "/", folder + "/inner"] {
        try createFolder(folder + "/inner")
        let problem = expectProblem(.cannotCreate, about: path) {
          try AtomicFile.write(path, text: "x")
        }
        #expect(problem?.found.contains("folder") == true)
      }
      #expect(try names(in: folder) == ["inner"])
    }
  }

  @Test("The error names a missing folder, or a file in its place")
  func missingFolder() throws {
    try withTemporaryFolder { folder in
      let path = folder + "/no/a"
      let problem = expectProblem(.cannotCreate, about: path) {
        try AtomicFile.write(path, text: "x")
      }
      #expect(problem?.advice?.contains(folder + "/no") == true)
      let left = try names(in: folder)
      #expect(left.isEmpty)

      try AtomicFile.write(folder + "/file", text: "x")
      expectProblem(.cannotCreate, about: folder + "/file/a") {
        try AtomicFile.write(folder + "/file/a", text: "x")
      }
      #expect(try contents(of: folder + "/file") == Array("x".utf8))
    }
  }

  @Test("A folder without write permission is an error")
  func readOnlyFolder() async {
    await #expect(processExitsWith: .success) {
      // Root can write everywhere, so the process becomes the user nobody.
      if geteuid() == 0 { try #require(seteuid(65534) == 0) }
      try withTemporaryFolder { folder in
        let path = folder + "/a"
        try AtomicFile.write(path, text: "old")
        chmod(folder, 0o555)
        defer { chmod(folder, 0o755) }
        for path in [path, folder + "/other"] {
          let problem = expectProblem(.cannotCreate, about: path) {
            try AtomicFile.write(path, text: "new")
          }
          #expect(problem?.found.contains("Permission denied") == true)
        }
        expectProblem(.cannotCreate, about: folder + "/inner") {
          try createFolder(folder + "/inner")
        }
        #expect(try contents(of: path) == Array("old".utf8))
      }
    }
  }

  @Test("A link to a file is replaced, and its target is unchanged")
  func linkAsTarget() throws {
    try withTemporaryFolder { folder in
      try AtomicFile.write(folder + "/first", text: "first")
      #expect(symlink(folder + "/first", folder + "/link") == 0)
      try AtomicFile.write(folder + "/link", text: "second")
      #expect(try contents(of: folder + "/link") == Array("second".utf8))
      #expect(try contents(of: folder + "/first") == Array("first".utf8))
    }
  }

  @Test("With two writers of one file, the result is the complete file of one of them")
  func twoWriters() throws {
    try withTemporaryFolder { folder in
      let path = folder + "/a"
      // The second writer begins and ends while the first is still writing.
      try AtomicFile.write(path) { file in
        try file.append(Array("1111".utf8))
        try AtomicFile.write(path, text: "2")
        try file.append(Array("1111".utf8))
      }
      let found = try readText(path, limit: 100)
      #expect(["11111111", "2"].contains(found))
    }
  }

  @Test("A pipe or a device is not replaced by a file")
  func specialTarget() throws {
    try withTemporaryFolder { folder in
      let path = folder + "/pipe"
      #expect(mkfifo(path, 0o600) == 0)
      expectProblem(.cannotCreate, about: path) { try AtomicFile.write(path, text: "x") }
      var status = stat()
      #expect(stat(path, &status) == 0)
      #expect(status.st_mode & S_IFMT == S_IFIFO)
    }
  }
}
