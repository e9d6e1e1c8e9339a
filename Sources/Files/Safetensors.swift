import Diagnostics

/// The safetensors file format. Reads F16, BF16, F32 and F64 tensors; writes F32.
///
/// A file is the size of the header (8 bytes, little endian), the header, and the tensors without gaps.
/// The header is JSON with the element type, shape and byte range of each tensor, and a table of strings
/// called `__metadata__`. Files are untrusted until checked: no memory is allocated for a size in the header
/// that exceeds the file's own size.
package enum Safetensors {
  /// In bytes, as in the reference implementation.
  static let maximumHeaderSize = 100_000_000

  /// The element types that can be read; all are converted to `Float`.
  package enum ElementType: String, CaseIterable, Sendable {
    case float32 = "F32"
    case float16 = "F16"
    case bfloat16 = "BF16"
    case float64 = "F64"

    /// Bytes per element.
    var size: Int {
      switch self {
      case .float16, .bfloat16: 2
      case .float32: 4
      case .float64: 8
      }
    }
  }

  /// The type, shape and byte range of a tensor in a file.
  package struct Entry: Sendable, Equatable {
    package let shape: [Int]
    package let type: ElementType
    /// In bytes from the end of the header.
    package let range: Range<Int>
  }

  /// A tensor to write.
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

  /// Writes a file atomically, with the tensors sorted by name.
  package static func write(
    _ path: String, metadata: [String: String], items: [Item]
  ) throws {
    let names = items.map(\.name)
    precondition(
      Set(names).count == names.count && !names.contains("__metadata__"),
      "tensor names must be unique and not __metadata__")
    let items = items.sorted { $0.name.utf8.lexicographicallyPrecedes($1.name.utf8) }
    let header = header(metadata: metadata, items: items)
    try AtomicFile.write(path) { file in
      try file.append(withUnsafeBytes(of: UInt64(header.count).littleEndian) { Array($0) })
      try file.append(header)
      for item in items {
        // The format is little endian, as are all machines that Swift supports.
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

  /// A JSON string literal.
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
  /// - Parameter maximumHeader: the largest accepted header, in bytes. A larger one is rejected unread.
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
    // An empty tensor begins where its successor does, so ties are broken by the end.
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

  /// Elements of another type as floats, read in chunks.
  private func converted(_ entry: Safetensors.Entry, count: Int) throws -> [Float] {
    let chunkSize = 1 << 16
    var result: [Float] = []
    result.reserveCapacity(count)
    for start in stride(from: 0, to: count, by: chunkSize) {
      let chunkCount = min(chunkSize, count - start)
      let bytes = try file.bytes(
        at: dataStart + entry.range.lowerBound + start * entry.type.size,
        count: chunkCount * entry.type.size)
      bytes.withUnsafeBytes { bytes in
        func load<Bits: FixedWidthInteger>(_ i: Int, _ type: Bits.Type) -> Bits {
          Bits(
            littleEndian: bytes.loadUnaligned(fromByteOffset: i * MemoryLayout<Bits>.size, as: type)
          )
        }
        for i in 0..<chunkCount {
          switch entry.type {
          case .float32: result.append(Float(bitPattern: load(i, UInt32.self)))
          // bfloat16 is the upper half of a float's bits.
          case .bfloat16: result.append(Float(bitPattern: UInt32(load(i, UInt16.self)) << 16))
          case .float16: result.append(Self.float(half: load(i, UInt16.self)))
          case .float64: result.append(Float(Double(bitPattern: load(i, UInt64.self))))
          }
        }
      }
    }
    return result
  }

  /// Converts an IEEE 754 binary16 number: a sign bit, 5 bits of exponent with bias 15, 10 bits of fraction.
  ///
  /// Done by hand because Swift's `Float16` does not exist on every platform.
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
