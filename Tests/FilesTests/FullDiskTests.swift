import Files
import Glibc
import TestSupport
import Testing

/// Limits the size of files in this process, to imitate a full disk: a write beyond `bytes` fails with EFBIG
/// instead of ENOSPC.
private func limitFileSize(to bytes: Int) throws {
  signal(SIGXFSZ, SIG_IGN)
  var limits = rlimit()
  try #require(getrlimit(__rlimit_resource_t(RLIMIT_FSIZE.rawValue), &limits) == 0)
  limits.rlim_cur = rlim_t(bytes)
  try #require(setrlimit(__rlimit_resource_t(RLIMIT_FSIZE.rawValue), &limits) == 0)
}

/// Each test runs in its own process, because the size limit and SIGKILL affect a whole process.
@Suite("A full disk or a crash leaves the old file unchanged")
struct FullDiskTests {
  @Test("Writing a file that does not fit fails, and the old one is unchanged")
  func atomicFile() async {
    await #expect(processExitsWith: .success) {
      try withTemporaryFolder { folder in
        let path = folder + "/a"
        let old = (0..<5000).map { UInt8(truncatingIfNeeded: $0 * 7) }
        try write(old, to: path)
        try limitFileSize(to: 10_000)
        // One large write, of which a part fits, and many small ones.
        for size in [100_000, 1000] {
          let problem = expectProblem(.inputOutput, about: path) {
            try AtomicFile.write(path) { file in
              for _ in 0..<(100_000 / size) {
                try file.append(Array(repeating: 1, count: size))
              }
            }
          }
          #expect(problem?.found.contains("writing") == true)
          #expect(try contents(of: path) == old)
          #expect(try names(in: folder) == ["a"])
        }
        // A file of exactly the limit is still written.
        try write(Array(repeating: 2, count: 10_000), to: path)
        #expect(try contents(of: path) == Array(repeating: 2, count: 10_000))
      }
    }
  }

  @Test("Writing a checkpoint that does not fit fails, and the old one still opens")
  func safetensors() async {
    await #expect(processExitsWith: .success) {
      try withTemporaryFolder { folder in
        let path = folder + "/a"
        func save(_ count: Int) throws {
          try Safetensors.write(
            path, metadata: ["count": "\(count)"],
            items: [
              Safetensors.Item(
                name: "x", shape: [count], elements: Array(repeating: 1, count: count))
            ])
        }
        try save(100)
        try limitFileSize(to: 2000)
        for count in [1000, 10_000] {
          expectProblem(.inputOutput, about: path) { try save(count) }
          #expect(try SafetensorsFile(path).metadata == ["count": "100"])
          #expect(try names(in: folder) == ["a"])
        }
      }
    }
  }

  @Test(
    "A line that does not fit stays pending, and is written once there is room")
  func appendFile() async {
    await #expect(processExitsWith: .success) {
      try withTemporaryFolder { folder in
        let path = folder + "/log"
        let file = try AppendFile(path)
        file.append(line: "one")
        try file.flush()
        try limitFileSize(to: 10)
        file.append(line: "two, which is too long")
        for _ in 0..<2 {
          expectProblem(.inputOutput, about: path) { try file.flush() }
          #expect(try readText(path, limit: 1000) == "one\n")
        }
        try limitFileSize(to: 1000)
        file.append(line: "three")
        try file.flush()
        #expect(try readText(path, limit: 1000) == "one\ntwo, which is too long\nthree\n")
      }
    }
  }

  @Test("After a writer is killed, the file is unchanged and the next write succeeds")
  func death() async throws {
    try await withFolderAsync { folder in
      let path = folder + "/a"
      try AtomicFile.write(path, text: "old")
      await #expect(processExitsWith: .signal(SIGKILL)) { [path = path as String] in
        try AtomicFile.write(path) { file in
          try file.append(Array(repeating: 1, count: 100_000))
          raise(SIGKILL)
        }
      }
      #expect(try contents(of: path) == Array("old".utf8))
      #expect(try names(in: folder).count == 2)
      try AtomicFile.write(path, text: "new")
      #expect(try contents(of: path) == Array("new".utf8))
      AtomicFile.removeLeftovers(in: folder)
      #expect(try names(in: folder) == ["a"])
    }
  }
}
