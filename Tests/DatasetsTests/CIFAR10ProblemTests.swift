import Datasets
import Diagnostics
import Files
import Glibc
import TestSupport
import Testing

@Suite("CIFAR10: invalid and missing files")
struct CIFAR10ProblemTests {
  private func open(_ folder: String) throws {
    _ = try CIFAR10(folder: folder, files: CIFAR10.trainingFiles)
  }

  /// Expects the advice that every error about a missing file has.
  private func expectAdvice(_ problem: Problem?, sourceLocation: SourceLocation = #_sourceLocation)
  {
    for part in ["data.root", "data_batch_1.bin", "scripts/download_cifar10.sh"] {
      #expect(problem?.advice?.contains(part) == true, sourceLocation: sourceLocation)
    }
  }

  @Test(
    "A file that is not a whole number of records is an error that gives both sizes",
    arguments: [0, 1, 3072, 3075, 2 * 3073 - 1, 10 * 3073 - 1, 10 * 3073 + 1])
  func size(count: Int) throws {
    try withTemporaryFolder { folder in
      try writeBatches([1, 1, 1, 1, 1], in: folder)
      let path = folder + "/data_batch_3.bin"
      try write(Array(repeating: 0, count: count), to: path)
      let problem = expectProblem(.badData, about: path) { try open(folder) }
      #expect(problem?.found == "the file has \(count) bytes")
      #expect(problem?.expected?.contains("3073") == true)
      #expect(problem?.advice?.contains("30730000") == true)
    }
  }

  @Test(
    "Other forms of the data set are recognised by the contents of a file",
    arguments: [
      ("CIFAR-100", [3, 50] + Array(repeating: 0, count: 3072), 8),
      ("Python version", [0x80, 0x02, 0x7D] + Array(repeating: 1, count: 100), 1),
      ("archive", [0x1F, 0x8B, 0x08] + Array(repeating: 1, count: 100), 1),
      ("web page", Array("<!DOCTYPE html><html>".utf8), 1),
      ("git-lfs", Array("version https://git-lfs.github.com/spec/v1\n".utf8), 1),
    ] as [(String, [UInt8], Int)])
  func otherFormat(word: String, bytes: [UInt8], copies: Int) throws {
    try withTemporaryFolder { folder in
      try writeBatches([1, 1, 1, 1, 1], in: folder)
      let path = folder + "/data_batch_1.bin"
      try write((0..<copies).flatMap { _ in bytes }, to: path)
      let problem = expectProblem(.badData, about: path) { try open(folder) }
      #expect(problem?.found.contains(word) == true, "\(problem?.description ?? "")")
    }
  }

  @Test(
    "Other forms of the data set are recognised by the files in a folder",
    arguments: [
      ("data_batch_1", "Python version"), ("train.bin", "CIFAR-100"),
      ("cifar-10-binary.tar.gz", "has not been unpacked"),
      ("cifar-10-python.tar.gz", "not the binary version"),
    ])
  func otherFolder(name: String, words: String) throws {
    try withTemporaryFolder { folder in
      try write([1], to: "\(folder)/\(name)")
      let problem = expectProblem(.badData, about: folder) { try open(folder) }
      #expect(problem?.found.contains(words) == true, "\(problem?.description ?? "")")
    }
  }

  @Test("An archive in place of the folder is recognised")
  func archiveAsFolder() throws {
    try withTemporaryFolder { folder in
      let path = folder + "/cifar-10-binary.tar.gz"
      try write([0x1F, 0x8B, 8, 0], to: path)
      let problem = expectProblem(.missingInput, about: path) { try open(path) }
      #expect(problem?.found == "this is a compressed archive")
    }
  }

  @Test("More records than an index can number are an error (in a sparse file)")
  func tooMany() throws {
    try withTemporaryFolder { folder in
      try writeBatches([1, 1, 1, 1, 1], in: folder)
      let path = folder + "/data_batch_1.bin"
      #expect(truncate(path, off_t(recordSize) << 31) == 0)
      let problem = expectProblem(.badData, about: path) { try open(folder) }
      #expect(problem?.expected == "at most 2147483647")
    }
  }

  @Test("The error for a label above 9 names file and record", arguments: [10, 255] as [UInt8])
  func label(label: UInt8) throws {
    try withTemporaryFolder { folder in
      let good = (0..<300).flatMap { record($0, label: UInt8($0 % 10)) }
      try write(good, to: folder + "/a.bin")
      var bad = good
      bad[257 * recordSize] = label
      try write(bad, to: folder + "/b.bin")
      let source = try CIFAR10(folder: folder, files: ["a.bin", "b.bin"])
      let problem = expectProblem(.badData, about: folder + "/b.bin") { _ = try source.scan() }
      #expect(problem?.found == "record 257 has the label \(label)")
      #expect(problem?.expected == "0 to 9")
      #expect(problem?.advice?.contains("CIFAR-10") == true)
      _ = try CIFAR10(folder: folder, files: ["a.bin"]).scan()
    }
  }

  @Test("The error for a missing folder names it")
  func missingFolder() throws {
    try withTemporaryFolder { folder in
      let path = folder + "/no"
      let problem = expectProblem(.missingInput, about: path) { try open(path) }
      #expect(problem?.found == "no such folder")
      expectAdvice(problem)
    }
  }

  @Test("The error for a file in place of the folder names it")
  func fileAsFolder() throws {
    try withTemporaryFolder { folder in
      let path = folder + "/file"
      try write(record(0), to: path)
      let problem = expectProblem(.missingInput, about: path) { try open(path) }
      #expect(problem?.found == "this is a file")
      #expect(problem?.expected == "a folder")
      expectAdvice(problem)
    }
  }

  @Test("The error for a missing batch names it", arguments: CIFAR10.trainingFiles)
  func missingBatch(name: String) throws {
    try withTemporaryFolder { folder in
      try writeBatches([1, 1, 1, 1, 1], in: folder)
      let path = folder + "/" + name
      #expect(unlink(path) == 0)
      let problem = expectProblem(.missingInput, about: path) { try open(folder) }
      #expect(problem?.found == "no such file")
      expectAdvice(problem)
    }
  }

  @Test("The error for an empty folder names the first batch")
  func emptyFolder() throws {
    try withTemporaryFolder { folder in
      expectProblem(.missingInput, about: folder + "/data_batch_1.bin") { try open(folder) }
    }
  }

  @Test("A folder in place of a batch is an error")
  func folderAsBatch() throws {
    try withTemporaryFolder { folder in
      try writeBatches([1, 1, 1, 1], in: folder)
      let path = folder + "/data_batch_5.bin"
      try createFolder(path)
      let problem = expectProblem(.badData, about: path) { try open(folder) }
      #expect(problem?.found == "this is a folder")
      expectAdvice(problem)
    }
  }

  @Test("A pipe in place of a batch is an error at once")
  func pipeAsBatch() async {
    await #expect(processExitsWith: .success) {
      try withTemporaryFolder { folder in
        try writeBatches([1, 1, 1, 1], in: folder)
        let path = folder + "/data_batch_5.bin"
        #expect(mkfifo(path, 0o600) == 0)
        // If opening waits for a writer, the alarm kills the process.
        alarm(60)
        let problem = expectProblem(.badData, about: path) {
          _ = try CIFAR10(folder: folder, files: CIFAR10.trainingFiles)
        }
        #expect(problem?.found == "this is a pipe")
      }
    }
  }

  @Test("Reading or scanning a batch that shrank after it was opened is an error")
  func shrinking() throws {
    try withTemporaryFolder { folder in
      try writeBatches([2, 2, 1, 1, 1], in: folder)
      let source = try CIFAR10(folder: folder, files: CIFAR10.trainingFiles)
      let path = folder + "/data_batch_2.bin"
      #expect(truncate(path, off_t(recordSize + 100)) == 0)
      for body in [
        { _ = try source.pixels(of: [3]) }, { _ = try source.scan() },
      ] as [() throws -> Void] {
        let problem = expectProblem(.badData, about: path, nil, body)
        #expect(problem?.found.contains("\(recordSize + 100)") == true)
        #expect(problem?.expected?.contains("\(2 * recordSize)") == true)
      }
      #expect(try source.pixels(of: [2, 6]) == pixels(ofRecord: 2) + pixels(ofRecord: 6))
    }
  }
}
