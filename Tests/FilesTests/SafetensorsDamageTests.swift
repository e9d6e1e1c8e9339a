import Diagnostics
import Files
import Glibc
import TestSupport
import Testing

@Suite("Safetensors: damaged files are errors and never crash the program")
struct SafetensorsDamageTests {
  /// The bytes of a small valid file that uses every feature of the header, and the size of its header.
  private func goodFile(in folder: String) throws -> (bytes: [UInt8], headerSize: Int) {
    let path = folder + "/good"
    try Safetensors.write(
      path, metadata: ["config": "a: \"1\"\nb: é\\", "step": "12"],
      items: [
        Safetensors.Item(name: "b", shape: [4, 50], elements: (0..<200).map(Float.init)),
        Safetensors.Item(name: "a\t🙂", shape: [], elements: [1]),
        Safetensors.Item(name: "c", shape: [0, 3], elements: []),
      ])
    let bytes = try contents(of: path)
    return (bytes, Int(bytes[0]) | Int(bytes[1]) << 8)
  }

  /// Whether a file opens and all its tensors can be read. Records an issue for any failure but a `badData`
  /// problem that names the path.
  private func opens(_ path: String, _ comment: Comment) -> Bool {
    do {
      let file = try SafetensorsFile(path)
      for (name, entry) in file.entries {
        let elements = try file.elements(name)
        #expect(elements.count == entry.shape.reduce(1, *), comment)
      }
      return true
    } catch let problem as Problem {
      #expect(problem.status == .badData && problem.subject == path, comment)
    } catch {
      Issue.record(error, comment)
    }
    return false
  }

  /// Writes a file without synchronizing, which makes these many writes faster than TestSupport's `write`.
  private func put(_ bytes: [UInt8], at path: String) throws {
    let file = try #require(fopen(path, "w"))
    #expect(fwrite(bytes, 1, bytes.count, file) == bytes.count)
    #expect(fclose(file) == 0)
  }

  @Test("A file truncated anywhere in its header is an error")
  func cutHeader() throws {
    try withTemporaryFolder { folder in
      let (bytes, headerSize) = try goodFile(in: folder)
      let path = folder + "/cut"
      for count in 0..<(8 + headerSize) {
        try put(Array(bytes.prefix(count)), at: path)
        #expect(!opens(path, "cut at byte \(count)"))
      }
      try put(bytes, at: path)
      #expect(opens(path, "whole"))
    }
  }

  @Test("A file truncated in its data is an error")
  func cutData() throws {
    try withTemporaryFolder { folder in
      let (bytes, headerSize) = try goodFile(in: folder)
      let path = folder + "/cut"
      let data = (8 + headerSize)..<bytes.count
      for i in 0..<200 {
        let count = data.lowerBound + i * data.count / 200
        try put(Array(bytes.prefix(count)), at: path)
        #expect(!opens(path, "cut at byte \(count)"))
      }
    }
  }

  @Test("A flipped bit in the header is an error or gives another valid file")
  func flippedBits() throws {
    try withTemporaryFolder { folder in
      let (bytes, headerSize) = try goodFile(in: folder)
      let path = folder + "/flipped"
      var refused = 0
      for byte in 0..<(8 + headerSize) {
        for bit in 0..<8 {
          var damaged = bytes
          damaged[byte] ^= 1 << bit
          try put(damaged, at: path)
          if !opens(path, "bit \(bit) of byte \(byte)") { refused += 1 }
        }
      }
      // Only a flip in a name or a value of the metadata can go unnoticed, or one that turns a padding space
      // into other white space.
      #expect(refused > 8 * (8 + headerSize) * 7 / 10)
      #expect(refused < 8 * (8 + headerSize))
    }
  }

  @Test("A header with a byte removed, doubled or replaced never crashes the program")
  func editedHeaders() throws {
    try withTemporaryFolder { folder in
      let (bytes, headerSize) = try goodFile(in: folder)
      let header = Array(bytes[8..<(8 + headerSize)])
      let path = folder + "/edited"
      var refused = 0
      var generator = TestGenerator(state: 2)
      let interesting = Array("{}[]\",:\\0-9eu \u{0}".utf8)
      for i in 0..<1000 {
        var edited = header
        let place = Int.random(in: 0..<edited.count, using: &generator)
        switch i % 3 {
        case 0: edited.remove(at: place)
        case 1: edited.insert(edited[place], at: place)
        default: edited[place] = interesting.randomElement(using: &generator) ?? 0
        }
        try put(
          littleEndian(UInt64(edited.count)) + edited + bytes.suffix(from: 8 + headerSize), at: path
        )
        if !opens(path, "\(String(decoding: edited, as: UTF8.self))") { refused += 1 }
      }
      #expect(refused > 300)
    }
  }

  @Test("Reading a tensor of a file that shrank after it was opened is an error")
  func shrinking() throws {
    try withTemporaryFolder { folder in
      let path = folder + "/good"
      let (bytes, _) = try goodFile(in: folder)
      let file = try SafetensorsFile(path)
      #expect(truncate(path, bytes.count - 4) == 0)
      expectProblem(.badData, about: path) { _ = try file.elements("b") }
    }
  }

  @Test("No memory is allocated for sizes that the file does not have")
  func memory() async {
    await #expect(processExitsWith: .success) {
      // The process may grow by 256 MiB; the header claims 4 TiB.
      try withTemporaryFolder { folder in
        let path = folder + "/a"
        try write(
          safetensorsBytes(
            header: #"{"a":{"dtype":"F32","shape":[1099511627776],"#
              + #""data_offsets":[0,4398046511104]}}"#, dataCount: 64), to: path)
        let sizes = folder + "/sizes"
        try write(littleEndian(99_999_999) + Array("{}".utf8), to: sizes)
        let pages = Int(try statusOfMemory().split(separator: " ")[0]) ?? 0
        let limit = rlim_t(pages * Int(sysconf(Int32(_SC_PAGESIZE))) + 256 << 20)
        var limits = rlimit(rlim_cur: limit, rlim_max: limit)
        try #require(setrlimit(__rlimit_resource_t(RLIMIT_AS.rawValue), &limits) == 0)
        expectProblem(.badData, about: path) { _ = try SafetensorsFile(path) }
        expectProblem(.badData, about: sizes) { _ = try SafetensorsFile(sizes) }
      }
    }
  }
}

/// The content of /proc/self/statm. `InputFile` cannot read it, because the system reports the size 0.
private func statusOfMemory() throws -> String {
  let file = try #require(fopen("/proc/self/statm", "r"))
  defer { fclose(file) }
  var buffer = [UInt8](repeating: 0, count: 256)
  let count = fread(&buffer, 1, 256, file)
  return String(decoding: buffer[..<count], as: UTF8.self)
}
