import Diagnostics
import Files
import Glibc
import TestSupport
import Testing

@Suite("Folders")
struct FolderTests {
  @Test("Missing folders are created, as deep as they are")
  func nested() throws {
    try withTemporaryFolder { folder in
      try createFolder(folder + "/a/b c/ö/d")
      #expect(try isFolder(folder + "/a/b c/ö/d"))
      try createFolder(folder + "/x//y/")
      #expect(try isFolder(folder + "/x/y"))
      try createFolder(folder + "/a/../z/.")
      #expect(try isFolder(folder + "/z"))
    }
  }

  @Test("A folder that is there keeps what is in it")
  func existing() throws {
    try withTemporaryFolder { folder in
      try write([1], to: folder + "/file")
      try createFolder(folder)
      try createFolder(folder + "/inner")
      try createFolder(folder + "/inner")
      #expect(try names(in: folder) == ["file", "inner"])
      #expect(try contents(of: folder + "/file") == [1])
    }
  }

  @Test("A file in the way is a problem, at the end of the path and before it")
  func fileInTheWay() throws {
    try withTemporaryFolder { folder in
      let path = folder + "/file"
      try write([1], to: path)
      expectProblem(.cannotCreate, about: path) { try createFolder(path) }
      let problem = #expect(throws: Problem.self) { try createFolder(path + "/a/b") }
      #expect(problem?.status == .cannotCreate)
      #expect(problem?.subject.hasPrefix(path) == true)
      #expect(try contents(of: path) == [1])
    }
  }

  @Test("A link to a folder is a folder; one that leads nowhere is a problem")
  func links() throws {
    try withTemporaryFolder { folder in
      try createFolder(folder + "/real")
      #expect(symlink(folder + "/real", folder + "/link") == 0)
      try createFolder(folder + "/link/inner")
      #expect(try isFolder(folder + "/real/inner"))
      #expect(symlink(folder + "/nowhere", folder + "/dangling") == 0)
      expectProblem(.cannotCreate, about: folder + "/dangling") {
        try createFolder(folder + "/dangling")
      }
    }
  }

  @Test("What may not be looked at, or leads in a circle, is not taken for absent")
  func unknown() async {
    await #expect(processExitsWith: .success) {
      // Root may look everywhere, so the process becomes nobody.
      if geteuid() == 0 { try #require(seteuid(65534) == 0) }
      try withTemporaryFolder { folder in
        let path = folder + "/closed/file"
        try createFolder(folder + "/closed")
        try write([1], to: path)
        #expect(symlink(folder + "/circle", folder + "/circle") == 0)
        chmod(folder + "/closed", 0o000)
        defer { chmod(folder + "/closed", 0o755) }
        for path in [path, folder + "/circle"] {
          expectProblem(.missingInput, about: path) { _ = try fileExists(path) }
          expectProblem(.missingInput, about: path) { _ = try isFolder(path) }
        }
      }
    }
  }

  @Test("What exists, and what is a folder")
  func questions() throws {
    try withTemporaryFolder { folder in
      try write([1], to: folder + "/file")
      #expect(try fileExists(folder) && isFolder(folder))
      #expect(try fileExists(folder + "/file") && !isFolder(folder + "/file"))
      #expect(try !fileExists(folder + "/no") && !isFolder(folder + "/no"))
    }
  }
}
