import Files
import TestSupport
import Testing

/// A hand-made file: a description, the header, and the number of data bytes.
struct HandMadeFile: CustomTestStringConvertible, Sendable {
  let testDescription: String
  let header: String
  let dataCount: Int

  init(_ what: String, _ header: String, data dataCount: Int = 0) {
    testDescription = what
    self.header = header
    self.dataCount = dataCount
  }
}

@Suite("Safetensors: which headers are accepted")
struct SafetensorsHeaderTests {
  @Test(
    "Valid headers that our writer would not write are accepted",
    arguments: [
      HandMadeFile(
        "no padding", #"{"a":{"dtype":"F32","shape":[1],"data_offsets":[0,4]}}"#, data: 4),
      HandMadeFile(
        "white space",
        " {\n\t\"a\" : { \"dtype\" : \"F32\" ,\r\n\"shape\":[ 1 ],"
          + "\"data_offsets\":[ 0 , 4 ]}}  ", data: 4),
      HandMadeFile(
        "fields in another order", #"{"a":{"data_offsets":[0,4],"shape":[],"dtype":"F32"}}"#,
        data: 4),
      HandMadeFile(
        "every escape",
        #"{"\u0061":{"dtype":"\u00463\u0032","shape":[],"data_offsets":[0,4]},"#
          + #""__metadata__":{"\"\\\/\b\f\n\r\t":"\ud83d\uDE42"}}"#, data: 4),
      HandMadeFile(
        "an empty tensor of a huge extent",
        #"{"e":{"dtype":"F32","shape":[0,4611686018427387904],"data_offsets":[0,0]},"#
          + #""a":{"dtype":"F32","shape":[1],"data_offsets":[0,4]}}"#, data: 4),
    ])
  func otherWriters(file: HandMadeFile) throws {
    try withTemporaryFolder { folder in
      let path = folder + "/a"
      try write(safetensorsBytes(header: file.header, dataCount: file.dataCount), to: path)
      #expect(try SafetensorsFile(path).elements("a") == [0])
    }
  }

  @Test("Escapes are decoded")
  func escapes() throws {
    try withTemporaryFolder { folder in
      let path = folder + "/a"
      try write(
        safetensorsBytes(
          header: #"{"__metadata__":{"k":"\"\\\/\b\f\n\r\t\u0000\u00e9\u20AC\ud83d\ude42"}}"#),
        to: path)
      #expect(
        try SafetensorsFile(path).metadata
          == ["k": "\"\\/\u{8}\u{C}\n\r\t\u{0}é€🙂"])
    }
  }

  private static let a = #""a":{"dtype":"F32","shape":[1],"data_offsets":[0,4]}"#

  static let badJSON: [HandMadeFile] = [
    HandMadeFile("nothing", ""),
    HandMadeFile("only space", "        "),
    HandMadeFile("one brace", "{"),
    HandMadeFile("a list", "[]"),
    HandMadeFile("null", "null"),
    HandMadeFile("two objects", "{}{}"),
    HandMadeFile("a zero byte at the end", "{}\0"),
    HandMadeFile("a byte order mark", "\u{FEFF}{}"),
    HandMadeFile("deep lists", String(repeating: "[", count: 1_000_000)),
    HandMadeFile("deep objects", String(repeating: "{\"a\":", count: 1_000_000)),
    HandMadeFile(
      "a deep shape", "{\"a\":{\"shape\":" + String(repeating: "[", count: 1_000_000)),
    HandMadeFile(
      "deep metadata", "{\"__metadata__\":" + String(repeating: "{\"a\":", count: 1_000_000)),
    HandMadeFile("a comma at the end", "{\(a),}", data: 4),
    HandMadeFile("no comma", "{\(a)\(a)}", data: 8),
    HandMadeFile("a name without quotes", "{a:1}"),
    HandMadeFile("a comment", "{}//"),
    HandMadeFile("a line break in a name", "{\"\n\":1}"),
    HandMadeFile("an unknown escape", #"{"__metadata__":{"\x":""}}"#),
    HandMadeFile("three hexadecimal digits", #"{"__metadata__":{"\u123":""}}"#),
    HandMadeFile("a sign among the digits", #"{"__metadata__":{"\u+123":""}}"#),
    HandMadeFile("a lone high surrogate", #"{"__metadata__":{"\ud83d":""}}"#),
    HandMadeFile("a high surrogate and a character", #"{"__metadata__":{"\ud83d\u0041":""}}"#),
    HandMadeFile("a lone low surrogate", #"{"__metadata__":{"\ude42":""}}"#),
    HandMadeFile("a string that ends in an escape", "{\"a\\"),
  ]

  static let badFields: [HandMadeFile] = [
    HandMadeFile("metadata with a number", #"{"__metadata__":{"a":1}}"#),
    HandMadeFile("metadata with an object", #"{"__metadata__":{"a":{}}}"#),
    HandMadeFile("metadata with null", #"{"__metadata__":{"a":null}}"#),
    HandMadeFile("metadata that is a string", #"{"__metadata__":"a"}"#),
    HandMadeFile("metadata twice", #"{"__metadata__":{},"__metadata__":{}}"#),
    HandMadeFile("a metadata name twice", #"{"__metadata__":{"a":"1","a":"2"}}"#),
    HandMadeFile("a name twice", "{\(a),\(a)}", data: 4),
    HandMadeFile(
      "a name twice, once escaped",
      "{\(a)," + #""\u0061":{"dtype":"F32","shape":[0],"data_offsets":[4,4]}}"#, data: 4),
    HandMadeFile(
      "an unknown field", #"{"a":{"dtype":"F32","shape":[1],"data_offsets":[0,4],"x":1}}"#, data: 4),
    HandMadeFile(
      "a field twice", #"{"a":{"dtype":"F32","shape":[1],"shape":[1],"data_offsets":[0,4]}}"#,
      data: 4),
    HandMadeFile("no type", #"{"a":{"shape":[1],"data_offsets":[0,4]}}"#, data: 4),
    HandMadeFile("no shape", #"{"a":{"dtype":"F32","data_offsets":[0,4]}}"#, data: 4),
    HandMadeFile("no offsets", #"{"a":{"dtype":"F32","shape":[0]}}"#),
    HandMadeFile("an empty entry", #"{"a":{}}"#),
    HandMadeFile("an entry that is a string", #"{"a":"F32"}"#),
    HandMadeFile(
      "F16 with the size of F32", #"{"a":{"dtype":"F16","shape":[1],"data_offsets":[0,4]}}"#,
      data: 4),
    HandMadeFile(
      "integers", #"{"a":{"dtype":"I32","shape":[1],"data_offsets":[0,4]}}"#, data: 4),
    HandMadeFile(
      "an unknown type", #"{"a":{"dtype":"Q7","shape":[1],"data_offsets":[0,4]}}"#, data: 4),
    HandMadeFile(
      "a type in lower case", #"{"a":{"dtype":"f32","shape":[1],"data_offsets":[0,4]}}"#,
      data: 4),
    HandMadeFile(
      "a type that is a number", #"{"a":{"dtype":32,"shape":[1],"data_offsets":[0,4]}}"#),
  ]

  @Test("Headers that are not JSON of the right form are errors", arguments: badJSON + badFields)
  func refused(file: HandMadeFile) throws {
    try withTemporaryFolder { folder in
      let path = folder + "/a"
      try write(safetensorsBytes(header: file.header, dataCount: file.dataCount), to: path)
      expectProblem(.badData, about: path) { _ = try SafetensorsFile(path) }
    }
  }

  @Test("For an unsupported type, the error names it and does not call the header invalid")
  func unsupportedType() throws {
    try withTemporaryFolder { folder in
      let path = folder + "/a"
      let header = #"{"a":{"dtype":"I64","shape":[1],"data_offsets":[0,8]}}"#
      try write(safetensorsBytes(header: header, dataCount: 8), to: path)
      let problem = expectProblem(.badData, about: path) { _ = try SafetensorsFile(path) }
      #expect(problem?.found == "the tensor a has elements of type I64")
      #expect(problem?.expected == "F32, F16, BF16, F64")
    }
  }

  @Test("A header over the limit is an error before it is read")
  func limit() throws {
    try withTemporaryFolder { folder in
      let path = folder + "/a"
      let header = "{" + String(repeating: " ", count: 100) + "}"
      try write(safetensorsBytes(header: header), to: path)
      _ = try SafetensorsFile(path, maximumHeader: 102)
      let problem = expectProblem(.badData, about: path) {
        _ = try SafetensorsFile(path, maximumHeader: 101)
      }
      #expect(problem?.found == "its header has 102 bytes")
    }
  }

  @Test("Errors truncate a long name and escape its control characters")
  func hostileName() throws {
    try withTemporaryFolder { folder in
      let path = folder + "/a"
      let name = #"\u001b[31m"# + String(repeating: "x", count: 100_000)
      try write(safetensorsBytes(header: #"{"\#(name)":{}}"#), to: path)
      let problem = expectProblem(.badData, about: path) { _ = try SafetensorsFile(path) }
      #expect(problem?.found.contains(#"\u{1B}[31mxxx"#) == true)
      #expect((problem?.found.count ?? 0) < 200)
    }
  }

  @Test(
    "Bytes that are not UTF-8 are errors in names and in metadata",
    arguments: [[0xFF], [0xC3], [0xC0, 0x80], [0xED, 0xA0, 0x80], [0xF5, 0x80, 0x80, 0x80]])
  func invalidUTF8(bytes: [UInt8]) throws {
    try withTemporaryFolder { folder in
      let path = folder + "/a"
      for (before, after) in [("{\"__metadata__\":{\"a\":\"", "\"}}"), ("{\"", "\":{}}")] {
        let header = Array(before.utf8) + bytes + Array(after.utf8)
        try write(littleEndian(UInt64(header.count)) + header, to: path)
        let problem = expectProblem(.badData, about: path) { _ = try SafetensorsFile(path) }
        #expect(problem?.found.contains("UTF-8") == true)
      }
    }
  }
}
