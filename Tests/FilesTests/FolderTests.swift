import Diagnostics
import Files
import Glibc
import TestSupport
import Testing

@Suite("Folders")
struct FolderTests {
  @Test("Missing folders are created at any depth")
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

  @Test("An existing folder keeps its contents")
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

  @Test("A file in place of a folder is an error, at the end of the path and before it")
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

  @Test("A link to a folder counts as a folder; a dangling link is an error")
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

  @Test("A path in an unreadable folder or a cycle of links is an error, not a missing file")
  func unknown() async {
    await #expect(processExitsWith: .success) {
      // Root can search every folder, so the process becomes the user nobody.
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

  @Test("fileExists and isFolder tell files, folders and missing paths apart")
  func questions() throws {
    try withTemporaryFolder { folder in
      try write([1], to: folder + "/file")
      #expect(try fileExists(folder) && isFolder(folder))
      #expect(try fileExists(folder + "/file") && !isFolder(folder + "/file"))
      #expect(try !fileExists(folder + "/no") && !isFolder(folder + "/no"))
    }
  }
}
