import Files
import Glibc
import TestSupport
import Testing

@Suite("Safetensors: impossible sizes, shapes and offsets")
struct SafetensorsLayoutTests {
  /// A header with one tensor for each shape and pair of offsets, in the spelling given.
  private static func header(_ tensors: (shape: String, place: String)...) -> String {
    let fields = tensors.enumerated().map { i, tensor in
      "\"t\(i)\":{\"dtype\":\"F32\",\"shape\":\(tensor.shape),\"data_offsets\":\(tensor.place)}"
    }
    return "{" + fields.joined(separator: ",") + "}"
  }

  static let files: [HandMadeFile] = [
    HandMadeFile("an overlap", header(("[2]", "[0,8]"), ("[2]", "[4,12]")), data: 12),
    HandMadeFile("the same offsets twice", header(("[1]", "[0,4]"), ("[1]", "[0,4]")), data: 4),
    HandMadeFile("a hole", header(("[1]", "[0,4]"), ("[1]", "[8,12]")), data: 12),
    HandMadeFile("a hole at the start", header(("[1]", "[4,8]")), data: 8),
    HandMadeFile("bytes after the last tensor", header(("[1]", "[0,4]")), data: 5),
    HandMadeFile("bytes but no tensor", "{}", data: 1),
    HandMadeFile("two bytes missing", header(("[1]", "[0,4]"), ("[1]", "[4,8]")), data: 6),
    HandMadeFile("an end before its beginning", header(("[1]", "[4,0]")), data: 4),
    HandMadeFile("one offset", header(("[1]", "[4]")), data: 4),
    HandMadeFile("three offsets", header(("[1]", "[0,4,4]")), data: 4),
    HandMadeFile("no offsets", header(("[0]", "[]"))),
    HandMadeFile("a negative offset", header(("[1]", "[-4,0]")), data: 4),
    HandMadeFile("minus zero", header(("[1]", "[-0,4]")), data: 4),
    HandMadeFile("a fractional offset", header(("[1]", "[0.0,4]")), data: 4),
    HandMadeFile("a fractional offset at the end", header(("[1]", "[0,4.0]")), data: 4),
    HandMadeFile("an exponent", header(("[1]", "[0,4e0]")), data: 4),
    HandMadeFile("an offset of 2^63", header(("[1]", "[0,9223372036854775808]")), data: 4),
    HandMadeFile("an offset of 1e999", header(("[1]", "[0,1e999]")), data: 4),
    HandMadeFile(
      "offsets near 2^63",
      header(("[1]", "[9223372036854775803,9223372036854775807]")), data: 4),
    HandMadeFile("NaN", header(("[1]", "[0,NaN]")), data: 4),
    HandMadeFile("an offset that is a string", header(("[1]", "[0,\"4\"]")), data: 4),
    HandMadeFile("a sign", header(("[1]", "[0,+4]")), data: 4),
    HandMadeFile("hexadecimal", header(("[1]", "[0,0x4]")), data: 4),
    HandMadeFile("leading zeros in an offset", header(("[1]", "[0,04]")), data: 4),
    HandMadeFile("two zeros", header(("[1]", "[00,4]")), data: 4),
    HandMadeFile("leading zeros in a shape", header(("[01]", "[0,4]")), data: 4),
    HandMadeFile("a comma at the end of a shape", header(("[1,]", "[0,4]")), data: 4),
    HandMadeFile("a space instead of a comma", header(("[1 1]", "[0,4]")), data: 4),
    HandMadeFile("a negative extent", header(("[-1]", "[0,4]")), data: 4),
    HandMadeFile("two negative extents", header(("[-1,-1]", "[0,4]")), data: 4),
    HandMadeFile("a fractional extent", header(("[1.0]", "[0,4]")), data: 4),
    HandMadeFile("null for an extent", header(("[null]", "[0,4]")), data: 4),
    HandMadeFile("a shape that is a number", header(("1", "[0,4]")), data: 4),
    HandMadeFile("a shape inside a shape", header(("[[1]]", "[0,4]")), data: 4),
    HandMadeFile("too few bytes for its shape", header(("[2]", "[0,4]")), data: 4),
    HandMadeFile("too many bytes for its shape", header(("[1]", "[0,8]")), data: 8),
    HandMadeFile("bytes for an empty shape", header(("[0]", "[0,4]")), data: 4),
    HandMadeFile("no bytes for a scalar", header(("[]", "[0,0]"))),
    // If overflow is ignored, sizes such as 4 · 2 · (2^64 − 2) bytes wrap to small numbers.
    HandMadeFile("2 × (2^64 − 2)", header(("[2,18446744073709551614]", "[0,4]")), data: 4),
    HandMadeFile("2 × (2^63 − 1)", header(("[2,9223372036854775807]", "[0,4]")), data: 4),
    HandMadeFile("2^62 elements", header(("[4611686018427387904]", "[0,0]"))),
    HandMadeFile("2^31 × 2^31", header(("[2147483648,2147483648]", "[0,0]"))),
    HandMadeFile("2^62 + 1 elements", header(("[4611686018427387905]", "[0,4]")), data: 4),
    HandMadeFile(
      "2^40 elements of a small file", header(("[1099511627776]", "[0,4398046511104]")), data: 16),
  ]

  @Test("Invalid layouts are errors", arguments: files)
  func refused(file: HandMadeFile) throws {
    try withTemporaryFolder { folder in
      let path = folder + "/a"
      try write(safetensorsBytes(header: file.header, dataCount: file.dataCount), to: path)
      expectProblem(.badData, about: path) { _ = try SafetensorsFile(path) }
    }
  }

  static let hiddenHoles: [HandMadeFile] = [
    HandMadeFile(
      "a hole after the last tensor", header(("[1]", "[0,4]"), ("[0]", "[8,8]")), data: 8),
    HandMadeFile(
      "a hole between tensors",
      header(("[1]", "[0,4]"), ("[0]", "[8,8]"), ("[1]", "[8,12]")), data: 12),
    HandMadeFile("nothing but a hole", header(("[0]", "[4,4]")), data: 4),
    HandMadeFile(
      "an empty tensor inside another", header(("[2]", "[0,8]"), ("[0]", "[4,4]")), data: 8),
  ]

  @Test("An empty tensor hides neither a hole nor an overlap", arguments: hiddenHoles)
  func emptyTensors(file: HandMadeFile) throws {
    try withTemporaryFolder { folder in
      let path = folder + "/a"
      try write(safetensorsBytes(header: file.header, dataCount: file.dataCount), to: path)
      expectProblem(.badData, about: path) { _ = try SafetensorsFile(path) }
    }
  }

  @Test("Tensors may be stored in any order, with empty ones between them")
  func order() throws {
    try withTemporaryFolder { folder in
      let path = folder + "/a"
      let header = Self.header(
        ("[1]", "[4,8]"), ("[0]", "[8,8]"), ("[1]", "[0,4]"), ("[0,3]", "[4,4]"), ("[0]", "[0,0]"))
      try write(safetensorsBytes(header: header, dataCount: 8), to: path)
      #expect(try SafetensorsFile(path).entries["t0"]?.range == 4..<8)
    }
  }

  @Test("Files too short to hold the header's size are errors", arguments: 0..<8)
  func tooShort(count: Int) throws {
    try withTemporaryFolder { folder in
      let path = folder + "/a"
      try write(Array(repeating: 0, count: count), to: path)
      let problem = expectProblem(.badData, about: path) { _ = try SafetensorsFile(path) }
      #expect(problem?.found.contains("\(count) bytes") == true)
    }
  }

  @Test(
    "Header sizes that exceed the file, or 100,000,000 bytes, are errors",
    arguments: [
      3, 4, 99_999_999, 100_000_000, 100_000_001, 1 << 32, 1 << 62, 1 << 63, .max, .max - 7,
    ] as [UInt64])
  func headerSize(size: UInt64) throws {
    try withTemporaryFolder { folder in
      let path = folder + "/a"
      try write(littleEndian(size) + Array("{}".utf8), to: path)
      let problem = expectProblem(.badData, about: path) { _ = try SafetensorsFile(path) }
      #expect(problem?.found.contains("\(size) bytes") == true)
    }
  }

  @Test("A header over 100,000,000 bytes is an error even if the file is large enough")
  func largeHeader() throws {
    try withTemporaryFolder { folder in
      let path = folder + "/a"
      try write(littleEndian(100_000_001) + Array("{".utf8), to: path)
      // A sparse file, which takes no space on the disk.
      #expect(truncate(path, 100_000_100) == 0)
      let problem = expectProblem(.badData, about: path) { _ = try SafetensorsFile(path) }
      #expect(problem?.found.contains("100000001 bytes") == true)
    }
  }
}
