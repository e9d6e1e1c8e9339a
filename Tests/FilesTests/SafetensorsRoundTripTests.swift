import Files
import TestSupport
import Testing

@Suite("Safetensors: what is written can be read back")
struct SafetensorsRoundTripTests {
  private typealias Item = Safetensors.Item

  /// Bit patterns follow from IEEE 754 and from the definition of bfloat16 as the upper half of a float.
  @Test(
    "Other float types are converted to Float",
    arguments: [
      (
        "F16", [0x3C00, 0xC000, 0x0001, 0x83FF, 0x7BFF, 0x3555],
        [1, -2, 0x1p-24, -1023 * 0x1p-24, 65504, 0x1.554p-2]
      ),
      ("BF16", [0x3F80, 0xC000, 0x7F7F, 0x0001], [1, -2, 0x1.FEp127, 0x1p-133]),
      (
        "F64", [0x3FF0_0000_0000_0000, 0xBFB9_9999_9999_999A, 0x47F0_0000_0000_0000],
        [1, -0.1, .infinity]
      ),
    ] as [(String, [UInt64], [Float])])
  func otherTypes(type: String, bits: [UInt64], expected: [Float]) throws {
    let size = type == "F64" ? 8 : 2
    let header =
      "{\"a\":{\"dtype\":\"\(type)\",\"shape\":[\(bits.count)],\"data_offsets\":[0,\(size * bits.count)]}}"
    let data = bits.flatMap { littleEndian($0).prefix(size) }
    try withTemporaryFolder { folder in
      try write(safetensorsBytes(header: header) + data, to: folder + "/a")
      #expect(try SafetensorsFile(folder + "/a").elements("a") == expected)
    }
  }

  @Test(
    "Shapes and bits are read back",
    arguments: [[], [0], [3, 0, 2], [1], [7], [2, 3], [1, 1, 1, 1, 5]] as [[Int]])
  func roundTrip(shape: [Int]) throws {
    var generator = TestGenerator(state: 1)
    let elements = (0..<shape.reduce(1, *)).map { _ in
      Float(bitPattern: UInt32(truncatingIfNeeded: generator.next()))
    }
    try withTemporaryFolder { folder in
      let path = folder + "/a.safetensors"
      // Tensors before and after, so that a wrong offset is detected.
      try Safetensors.write(
        path, metadata: [:],
        items: [
          Item(name: "a", shape: [2], elements: [1, 2]),
          Item(name: "b", shape: shape, elements: elements),
          Item(name: "c", shape: [1], elements: [3]),
        ])
      let file = try SafetensorsFile(path)
      #expect(file.path == path)
      #expect(file.entries.keys.sorted() == ["a", "b", "c"])
      #expect(file.entries["b"]?.shape == shape)
      #expect(try file.elements("b").map(\.bitPattern) == elements.map(\.bitPattern))
      #expect(try file.elements("a") == [1, 2])
      #expect(try file.elements("c") == [3])
    }
  }

  @Test("NaN, infinities, negative zero and subnormal numbers keep their bits")
  func specialNumbers() throws {
    let elements: [Float] = [
      .nan, .infinity, -.infinity, -0.0, .leastNonzeroMagnitude, .greatestFiniteMagnitude,
      Float(bitPattern: 0x7FC0_1234),
    ]
    try withTemporaryFolder { folder in
      let path = folder + "/a"
      try Safetensors.write(
        path, metadata: [:], items: [Item(name: "x", shape: [7], elements: elements)])
      let read = try SafetensorsFile(path).elements("x")
      #expect(read.map(\.bitPattern) == elements.map(\.bitPattern))
    }
  }

  @Test(
    "Names and metadata keep every character",
    arguments: [
      "encoder.conv1.weight", "", " ", "größe", "画像", "🙂", "a\"b", "back\\slash", "\\u0041", "a/b",
      "line\nbreak", "\r\t\u{8}\u{C}", "\u{0}", "\u{1F}\u{7F}", "\u{2028}", "{}[],:", "\u{FEFF}",
    ])
  func characters(text: String) throws {
    try withTemporaryFolder { folder in
      let path = folder + "/a"
      try Safetensors.write(
        path, metadata: [text: text, "other": ""],
        items: [Item(name: text, shape: [], elements: [4])])
      let file = try SafetensorsFile(path)
      #expect(file.metadata == [text: text, "other": ""])
      // Swift compares strings by canonical equivalence; here the bytes must be equal.
      #expect(file.entries.keys.map { Array($0.utf8) } == [Array(text.utf8)])
      #expect(try file.elements(text) == [4])
    }
  }

  @Test("A tiny file has exactly these bytes")
  func exactBytes() throws {
    try withTemporaryFolder { folder in
      let path = folder + "/a"
      try Safetensors.write(
        path, metadata: ["z": "1", "k": "v\n"],
        items: [
          Item(name: "b", shape: [], elements: [-2]),
          Item(name: "a", shape: [1, 2], elements: [1, 0.5]),
        ])
      let header =
        #"{"__metadata__":{"k":"v\n","z":"1"},"#
        + #""a":{"dtype":"F32","shape":[1,2],"data_offsets":[0,8]},"#
        + #""b":{"dtype":"F32","shape":[],"data_offsets":[8,12]}}"#
      let padding = (8 - header.utf8.count % 8) % 8
      let expected =
        littleEndian(UInt64(header.utf8.count + padding)) + Array(header.utf8)
        + Array(repeating: UInt8(ascii: " "), count: padding)
        + [0, 0, 0x80, 0x3F, 0, 0, 0, 0x3F, 0, 0, 0, 0xC0]
      #expect(try contents(of: path) == expected)
    }
  }

  @Test("The length of a header is a multiple of 8 for any names", arguments: 0..<9)
  func padding(length: Int) throws {
    try withTemporaryFolder { folder in
      let path = folder + "/a"
      let name = String(repeating: "n", count: length)
      try Safetensors.write(
        path, metadata: [:], items: [Item(name: name, shape: [1], elements: [1])])
      let bytes = try contents(of: path)
      #expect(bytes[0] % 8 == 0)
      #expect(bytes.count == 8 + Int(bytes[0]) + 4)
      #expect(bytes[8] == UInt8(ascii: "{"))
    }
  }

  @Test("The order of items does not change the file")
  func order() throws {
    let items = ["b", "a", "ä", "Z", "a.b", "a-b", "ab", "🙂", "\u{FFFD}"].enumerated().map {
      Item(name: $1, shape: [1], elements: [Float($0)])
    }
    try withTemporaryFolder { folder in
      try Safetensors.write(folder + "/1", metadata: [:], items: items)
      try Safetensors.write(folder + "/2", metadata: [:], items: items.reversed())
      #expect(try contents(of: folder + "/1") == contents(of: folder + "/2"))
      let entries = try SafetensorsFile(folder + "/1").entries
      let stored = entries.sorted { $0.value.range.lowerBound < $1.value.range.lowerBound }
      // Sorted by bytes, as in the reference implementation: U+FFFD before U+1F642.
      #expect(
        stored.map(\.key) == ["Z", "a", "a-b", "a.b", "ab", "b", "ä", "\u{FFFD}", "🙂"])
    }
  }

  @Test("A file without tensors can be written and read")
  func empty() throws {
    try withTemporaryFolder { folder in
      let path = folder + "/a"
      try Safetensors.write(path, metadata: [:], items: [])
      #expect(try contents(of: path) == littleEndian(8) + Array("{}      ".utf8))
      let file = try SafetensorsFile(path)
      #expect(file.entries.isEmpty && file.metadata.isEmpty)
      expectProblem(.badData, about: path) { _ = try file.elements("x") }
    }
  }
}
