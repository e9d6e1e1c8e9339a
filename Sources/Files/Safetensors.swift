/// The safetensors file format, for floats.
///
/// Eight bytes with the header's size, little endian; the header, JSON with each tensor's element
/// type, shape and byte range, and a table of strings called `__metadata__`; then the tensors, without
/// a gap. Files are read as hostile until checked: nothing is allocated on the word of a size that the
/// file itself does not back.
package enum Safetensors {
  /// Larger headers are refused, as in the reference implementation.
  static let maximumHeaderSize = 100_000_000

  /// Where a tensor lies.
  package struct Entry: Sendable, Equatable {
    package let shape: [Int]
    /// Bytes relative to the end of the header.
    package let range: Range<Int>
  }

  /// A tensor to be written.
  package struct Item {
    package let name: String
    let shape: [Int]
    let elements: [Float]

    package init(name: String, shape: [Int], elements: [Float]) {
      precondition(elements.count == shape.reduce(1, *), "\(name) does not fill its shape")
      self.name = name
      self.shape = shape
      self.elements = elements
    }
  }

  /// Writes a file, whole or not at all; tensors in the order of their names.
  package static func write(
    _ path: String, metadata: [String: String], items: [Item]
  ) throws {
    let names = items.map(\.name)
    precondition(
      Set(names).count == names.count && !names.contains("__metadata__"),
      "every tensor has a name of its own")
    let items = items.sorted { $0.name.utf8.lexicographicallyPrecedes($1.name.utf8) }
    let header = header(metadata: metadata, items: items)
    try AtomicFile.write(path) { file in
      try file.append(withUnsafeBytes(of: UInt64(header.count).littleEndian) { Array($0) })
      try file.append(header)
      for item in items {
        // All machines that Swift runs on are little endian, as the format is.
        try item.elements.withUnsafeBytes { try file.append($0) }
      }
    }
  }

  private static func header(metadata: [String: String], items: [Item]) -> [UInt8] {
    var fields: [String] = []
    if !metadata.isEmpty {
      let pairs = metadata.sorted { $0.key < $1.key }.map {
        quoted($0.key) + ":" + quoted($0.value)
      }
      fields.append("\"__metadata__\":{" + pairs.joined(separator: ",") + "}")
    }
    var offset = 0
    for item in items {
      let end = offset + item.elements.count * MemoryLayout<Float>.size
      let shape = item.shape.map(String.init).joined(separator: ",")
      fields.append(
        quoted(item.name)
          + ":{\"dtype\":\"F32\",\"shape\":[\(shape)],\"data_offsets\":[\(offset),\(end)]}")
      offset = end
    }
    var bytes = Array(("{" + fields.joined(separator: ",") + "}").utf8)
    while bytes.count % 8 != 0 { bytes.append(UInt8(ascii: " ")) }
    return bytes
  }

  /// A JSON string.
  private static func quoted(_ text: String) -> String {
    var result = "\""
    for scalar in text.unicodeScalars {
      switch scalar {
      case "\"": result += "\\\""
      case "\\": result += "\\\\"
      case "\n": result += "\\n"
      case _ where scalar.value < 0x20:
        let digits = String(scalar.value, radix: 16)
        result += "\\u" + String(repeating: "0", count: 4 - digits.count) + digits
      default: result.unicodeScalars.append(scalar)
      }
    }
    return result + "\""
  }
}

/// A safetensors file whose header has been checked.
package struct SafetensorsFile: Sendable {
  package let metadata: [String: String]
  package let entries: [String: Safetensors.Entry]
  package var path: String { file.path }
  private let file: InputFile
  private let dataStart: Int

  /// Opens a file and checks its header against its size.
  package init(_ path: String) throws {
    file = try InputFile(path)
    guard file.size >= 8 else { throw Self.bad(path, "the file has \(file.size) bytes") }
    let sizeBytes = try file.bytes(at: 0, count: 8)
    let size = sizeBytes.reversed().reduce(UInt64(0)) { $0 << 8 | UInt64($1) }
    guard size <= UInt64(Safetensors.maximumHeaderSize), Int(size) <= file.size - 8 else {
      throw Self.bad(path, "its header claims \(size) bytes of a file of \(file.size)")
    }
    dataStart = 8 + Int(size)
    do {
      var parser = SafetensorsHeaderParser(try file.bytes(at: 8, count: Int(size)))
      (metadata, entries) = try parser.parse()
    } catch let error as SafetensorsHeaderParser.Fault {
      throw Self.bad(path, error.description)
    }
    var end = 0
    // Empty tensors lie between their neighbours, so the ends decide where the beginnings are equal.
    let places = entries.sorted {
      ($0.value.range.lowerBound, $0.value.range.upperBound)
        < ($1.value.range.lowerBound, $1.value.range.upperBound)
    }
    for (name, entry) in places {
      guard entry.range.lowerBound == end else {
        throw Self.bad(path, "the tensor \(name) leaves a gap or overlaps its neighbour")
      }
      end = entry.range.upperBound
    }
    guard end == file.size - dataStart else {
      throw Self.bad(path, "its tensors end at byte \(dataStart + end) of \(file.size)")
    }
  }

  /// The elements of a tensor.
  package func elements(_ name: String) throws -> [Float] {
    guard let entry = entries[name] else {
      throw Self.bad(path, "there is no tensor \(name)")
    }
    let count = entry.range.count / MemoryLayout<Float>.size
    return try [Float](unsafeUninitializedCapacity: count) { buffer, initialized in
      let bytes = UnsafeMutableRawBufferPointer(start: buffer.baseAddress, count: entry.range.count)
      try file.read(into: bytes, at: dataStart + entry.range.lowerBound)
      initialized = count
    }
  }

  private static func bad(_ path: String, _ found: String) -> Problem {
    Problem(.badData, path, found: found, expected: "a safetensors file of F32 tensors")
  }
}
