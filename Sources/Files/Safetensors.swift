import Diagnostics

/// The safetensors file format, for floats: all four float types are read, F32 is written.
///
/// Eight bytes with the header's size, little endian; the header, JSON with each tensor's element
/// type, shape and byte range, and a table of strings called `__metadata__`; then the tensors, without
/// a gap. Files are read as hostile until checked: nothing is allocated on the word of a size that the
/// file itself does not back.
package enum Safetensors {
  /// Larger headers are refused, as in the reference implementation.
  static let maximumHeaderSize = 100_000_000

  /// The types of elements that are read; all become `Float`.
  package enum ElementType: String, CaseIterable, Sendable {
    case float32 = "F32"
    case float16 = "F16"
    case bfloat16 = "BF16"
    case float64 = "F64"

    /// Bytes of an element.
    var size: Int {
      switch self {
      case .float16, .bfloat16: 2
      case .float32: 4
      case .float64: 8
      }
    }
  }

  /// Where a tensor lies.
  package struct Entry: Sendable, Equatable {
    package let shape: [Int]
    package let type: ElementType
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
  ///
  /// - Parameter maximumHeader: bytes of a header above which the file is refused unread.
  package init(
    _ path: String, maximumHeader: Int = Safetensors.maximumHeaderSize
  ) throws {
    file = try InputFile(path)
    guard file.size >= 8 else { throw Self.bad(path, "the file has \(file.size) bytes") }
    let sizeBytes = try file.bytes(at: 0, count: 8)
    let size = sizeBytes.reversed().reduce(UInt64(0)) { $0 << 8 | UInt64($1) }
    guard size <= UInt64(file.size - 8) else {
      // A text begins with letters, which make an absurd size.
      throw Self.bad(
        path,
        sizeBytes.allSatisfy { $0 >= 0x09 && $0 < 0x80 }
          ? "the file is a text" : "its header claims \(size) bytes of a file of \(file.size)")
    }
    guard size <= UInt64(maximumHeader) else {
      throw Problem(
        .badData, path, found: "its header has \(size) bytes",
        expected: "at most \(maximumHeader)")
    }
    dataStart = 8 + Int(size)
    do {
      var parser = SafetensorsHeaderParser(try file.bytes(at: 8, count: Int(size)))
      (metadata, entries) = try parser.parse()
    } catch let error as SafetensorsHeaderParser.Fault {
      throw Self.bad(path, error.description)
    } catch let error as SafetensorsHeaderParser.UnsupportedType {
      throw Problem(
        .badData, path,
        found: "the tensor \(error.tensor) has elements of type \(error.type)",
        expected: Safetensors.ElementType.allCases.map(\.rawValue).joined(separator: ", "))
    }
    var end = 0
    // Empty tensors lie between their neighbours, so the ends decide where the beginnings are equal.
    let places = entries.sorted {
      ($0.value.range.lowerBound, $0.value.range.upperBound)
        < ($1.value.range.lowerBound, $1.value.range.upperBound)
    }
    for (name, entry) in places {
      guard entry.range.lowerBound == end else {
        throw Self.bad(path, "the tensor \(excerpt(name)) leaves a gap or overlaps its neighbour")
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
    let count = entry.range.count / entry.type.size
    guard entry.type == .float32 else { return try converted(entry, count: count) }
    return try [Float](unsafeUninitializedCapacity: count) { buffer, initialized in
      let bytes = UnsafeMutableRawBufferPointer(start: buffer.baseAddress, count: entry.range.count)
      try file.read(into: bytes, at: dataStart + entry.range.lowerBound)
      initialized = count
    }
  }

  /// The elements of another type as floats, read in pieces.
  private func converted(_ entry: Safetensors.Entry, count: Int) throws -> [Float] {
    let pieceSize = 1 << 16
    var result: [Float] = []
    result.reserveCapacity(count)
    for start in stride(from: 0, to: count, by: pieceSize) {
      let piece = min(pieceSize, count - start)
      let bytes = try file.bytes(
        at: dataStart + entry.range.lowerBound + start * entry.type.size,
        count: piece * entry.type.size)
      bytes.withUnsafeBytes { bytes in
        func load<Bits: FixedWidthInteger>(_ i: Int, _ type: Bits.Type) -> Bits {
          Bits(
            littleEndian: bytes.loadUnaligned(fromByteOffset: i * MemoryLayout<Bits>.size, as: type)
          )
        }
        for i in 0..<piece {
          switch entry.type {
          case .float32: result.append(Float(bitPattern: load(i, UInt32.self)))
          // The upper half of a float's bits.
          case .bfloat16: result.append(Float(bitPattern: UInt32(load(i, UInt16.self)) << 16))
          case .float16: result.append(Self.float(half: load(i, UInt16.self)))
          case .float64: result.append(Float(Double(bitPattern: load(i, UInt64.self))))
          }
        }
      }
    }
    return result
  }

  /// A number of IEEE 754's binary16: a sign, 5 bits of exponent with bias 15, and 10 bits of fraction.
  ///
  /// By hand, for Swift's `Float16` does not exist on every platform.
  private static func float(half bits: UInt16) -> Float {
    let sign: Float = bits >> 15 == 0 ? 1 : -1
    let fraction = Float(bits & 0x3FF)
    switch (bits >> 10) & 0x1F {
    case 0: return sign * fraction * 0x1p-24
    case 0x1F: return fraction == 0 ? sign * .infinity : .nan
    case let exponent:
      return sign * (1024 + fraction)
        * Float(sign: .plus, exponent: Int(exponent) - 25, significand: 1)
    }
  }

  private static func bad(_ path: String, _ found: String) -> Problem {
    Problem(.badData, path, found: found, expected: "a safetensors file of float tensors")
  }
}
