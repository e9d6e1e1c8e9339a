import Diagnostics

/// Parses the JSON of a safetensors header, and only the subset of JSON that the format uses.
///
/// The header has a fixed depth, so a hostile one cannot make the parser recurse. A duplicate key is an
/// error; a general parser would silently keep one of the two values.
struct SafetensorsHeaderParser {
  struct Fault: Error, CustomStringConvertible {
    let description: String
  }

  /// A valid header that names an element type that cannot be read.
  struct UnsupportedType: Error {
    let tensor: String
    let type: String
  }

  private let bytes: [UInt8]
  private var position = 0

  init(_ bytes: [UInt8]) { self.bytes = bytes }

  mutating func parse() throws -> ([String: String], [String: Safetensors.Entry]) {
    var metadata: [String: String] = [:]
    var entries: [String: Safetensors.Entry] = [:]
    var seen: Set<String> = []
    try object { parser, key in
      guard seen.insert(key).inserted else {
        throw parser.fault("the name \(excerpt(key)) occurs twice")
      }
      if key == "__metadata__" {
        metadata = try parser.strings()
      } else {
        entries[key] = try parser.entry(key)
      }
    }
    skipSpace()
    guard position == bytes.count else { throw fault("there is data after the header's object") }
    return (metadata, entries)
  }

  private mutating func strings() throws -> [String: String] {
    var result: [String: String] = [:]
    try object { parser, key in
      let value = try parser.string()
      guard result.updateValue(value, forKey: key) == nil else {
        throw parser.fault("the name \(excerpt(key)) occurs twice in the metadata")
      }
    }
    return result
  }

  private mutating func entry(_ key: String) throws -> Safetensors.Entry {
    let name = excerpt(key)
    var type: String?
    var shape: [Int]?
    var offsets: [Int]?
    try object { parser, key in
      switch key {
      case "dtype" where type == nil: type = try parser.string()
      case "shape" where shape == nil: shape = try parser.integers()
      case "data_offsets" where offsets == nil: offsets = try parser.integers()
      default: throw parser.fault("the tensor \(name) has an unexpected field \(excerpt(key))")
      }
    }
    guard let type, let shape, let offsets else {
      throw fault("the tensor \(name) lacks dtype, shape or data_offsets")
    }
    guard let elementType = Safetensors.ElementType(rawValue: type) else {
      throw UnsupportedType(tensor: name, type: excerpt(type))
    }
    guard offsets.count == 2, offsets[0] <= offsets[1] else {
      throw fault("the tensor \(name) has invalid data_offsets")
    }
    var size = elementType.size
    for extent in shape {
      let (product, overflow) = size.multipliedReportingOverflow(by: extent)
      guard !overflow else { throw fault("the shape of the tensor \(name) overflows") }
      size = product
    }
    guard size == offsets[1] - offsets[0] else {
      throw fault("the tensor \(name) has \(offsets[1] - offsets[0]) bytes for a shape of \(size)")
    }
    return Safetensors.Entry(shape: shape, type: elementType, range: offsets[0]..<offsets[1])
  }

  // MARK: JSON

  private mutating func object(
    _ member: (inout SafetensorsHeaderParser, String) throws -> Void
  ) throws {
    try expect("{")
    if accept("}") { return }
    repeat {
      let key = try string()
      try expect(":")
      try member(&self, key)
    } while accept(",")
    try expect("}")
  }

  private mutating func integers() throws -> [Int] {
    try expect("[")
    if accept("]") { return [] }
    var result: [Int] = []
    repeat { result.append(try integer()) } while accept(",")
    try expect("]")
    return result
  }

  private mutating func integer() throws -> Int {
    skipSpace()
    let start = position
    while position < bytes.count, (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(bytes[position])
    {
      position += 1
    }
    let digits = bytes[start..<position]
    guard let value = Int(String(decoding: digits, as: UTF8.self)),
      digits.count == 1 || digits.first != UInt8(ascii: "0")
    else { throw fault("a non-negative whole number was expected") }
    return value
  }

  private mutating func string() throws -> String {
    try expect("\"")
    var content: [UInt8] = []
    while true {
      guard let byte = next() else { throw fault("a string is not terminated") }
      switch byte {
      case UInt8(ascii: "\""):
        guard let text = String(validating: content, as: UTF8.self) else {
          throw fault("a string is not UTF-8")
        }
        return text
      case UInt8(ascii: "\\"): content += try escape()
      case 0..<0x20: throw fault("a string has a control character")
      default: content.append(byte)
      }
    }
  }

  private mutating func escape() throws -> [UInt8] {
    switch next() {
    case UInt8(ascii: "\""): return Array("\"".utf8)
    case UInt8(ascii: "\\"): return Array("\\".utf8)
    case UInt8(ascii: "/"): return Array("/".utf8)
    case UInt8(ascii: "b"): return [0x08]
    case UInt8(ascii: "f"): return [0x0C]
    case UInt8(ascii: "n"): return [0x0A]
    case UInt8(ascii: "r"): return [0x0D]
    case UInt8(ascii: "t"): return [0x09]
    case UInt8(ascii: "u"):
      var units = [try codeUnit()]
      if UTF16.isLeadSurrogate(units[0]) {
        guard next() == UInt8(ascii: "\\"), next() == UInt8(ascii: "u") else {
          throw fault("a string has an unpaired surrogate")
        }
        units.append(try codeUnit())
      }
      guard let text = String(validating: units, as: UTF16.self) else {
        throw fault("a string has an unpaired surrogate")
      }
      return Array(text.utf8)
    default: throw fault("a string has an unknown escape")
    }
  }

  private mutating func codeUnit() throws -> UInt16 {
    let digits = [next(), next(), next(), next()].compactMap(\.self)
    let text = String(decoding: digits, as: UTF8.self)
    guard digits.count == 4, text.allSatisfy(\.isHexDigit), let unit = UInt16(text, radix: 16)
    else {
      throw fault("an escape \\u takes four digits")
    }
    return unit
  }

  private mutating func next() -> UInt8? {
    guard position < bytes.count else { return nil }
    defer { position += 1 }
    return bytes[position]
  }

  private mutating func skipSpace() {
    while position < bytes.count, [0x20, 0x09, 0x0A, 0x0D].contains(bytes[position]) {
      position += 1
    }
  }

  private mutating func accept(_ character: Unicode.Scalar) -> Bool {
    skipSpace()
    guard position < bytes.count, bytes[position] == UInt8(ascii: character) else { return false }
    position += 1
    return true
  }

  private mutating func expect(_ character: Unicode.Scalar) throws {
    guard accept(character) else { throw fault("a '\(character)' was expected") }
  }

  private func fault(_ what: String) -> Fault {
    Fault(description: "its header is not valid at byte \(position): \(what)")
  }
}
