import Files
import Foundation
import TestSupport
import Testing

/// Files written by the Python safetensors library, an independent implementation of the format.
@Suite("Safetensors: files of the Python library")
struct GoldenFilesTests {
  /// All files in Tests/Goldens.
  static let names = Result {
    try FileManager.default.contentsOfDirectory(atPath: "\(testsFolder)/Goldens").sorted()
  }

  @Test("Every file opens, and all its elements are finite", arguments: try names.get())
  func readable(name: String) throws {
    let path = "\(testsFolder)/Goldens/\(name)"
    let file = try SafetensorsFile(path)
    #expect(file.entries.count > 10)
    var covered = 0
    for (tensor, entry) in file.entries {
      let elements = try file.elements(tensor)
      #expect(elements.count == entry.shape.reduce(1, *), "\(tensor)")
      #expect(elements.allSatisfy { $0.isFinite }, "\(tensor)")
      #expect(elements.contains { $0 != 0 }, "\(tensor) is all zeros")
      covered += 4 * elements.count
    }
    let bytes = try contents(of: path)
    let headerSize = Int(bytes[0]) | Int(bytes[1]) << 8 | Int(bytes[2]) << 16
    #expect(8 + headerSize + covered == bytes.count)
  }

  @Test("Tensors that are read and written again keep their bits", arguments: ["layers", "sonnet"])
  func rewritten(name: String) throws {
    let file = try SafetensorsFile("\(testsFolder)/Goldens/\(name).safetensors")
    try withTemporaryFolder { folder in
      let path = folder + "/again"
      try Safetensors.write(
        path, metadata: file.metadata,
        items: try file.entries.map { name, entry in
          Safetensors.Item(name: name, shape: entry.shape, elements: try file.elements(name))
        })
      let again = try SafetensorsFile(path)
      #expect(again.metadata == file.metadata)
      #expect(again.entries.mapValues(\.shape) == file.entries.mapValues(\.shape))
      for name in file.entries.keys {
        #expect(
          try again.elements(name).map(\.bitPattern) == file.elements(name).map(\.bitPattern))
      }
    }
  }
}
