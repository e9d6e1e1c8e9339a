import Files
import Foundation
import TestSupport
import Testing
import Training
import VectorQuantization

/// The way from a path to a configuration.
@Suite("Configuration files")
struct ConfigurationFileTests {
  /// Reads a file with some bytes.
  private func readFile(_ bytes: [UInt8]) throws -> Configuration {
    try withTemporaryFolder { folder in
      try write(bytes, to: folder + "/c.yaml")
      return try ConfigurationReader.read(file: folder + "/c.yaml")
    }
  }

  @Test("a place in a message begins with the path as it was given")
  func place() throws {
    try withTemporaryFolder { folder in
      let path = folder + "/my config.yaml"
      try write(Array("sed: 1\n".utf8), to: path)
      let error = #expect(throws: ConfigurationError.self) {
        try ConfigurationReader.read(file: path)
      }
      #expect(error?.faults.map(\.place) == ["\(path):1:1"])
    }
  }

  @Test("64 KiB are read, and no byte more")
  func size() throws {
    let comment = [UInt8](repeating: UInt8(ascii: "#"), count: 65_536 - 8) + Array("\nseed: 7".utf8)
    #expect(comment.count == 65_536)
    #expect(try readFile(comment).seed == 7)
    let problem = #expect(throws: Problem.self) { try readFile(comment + [UInt8(ascii: "\n")]) }
    #expect(problem?.description.contains("65537 bytes; expected at most 65536") == true)
  }

  static let notUTF8: [[UInt8]] = [
    Array("data:\n  root: caf".utf8) + [0xE9, 0x0A],
    [0xFF, 0xFE, 0x73, 0x00, 0x65, 0x00],
    [0xC0, 0x80], [0xED, 0xA0, 0x80], [0x80],
  ]

  @Test("what is not UTF-8 is refused", arguments: notUTF8)
  func encoding(_ bytes: [UInt8]) {
    let problem = #expect(throws: Problem.self) { try readFile(bytes) }
    #expect(problem?.description.contains("not text; expected UTF-8") == true)
  }

  @Test("an empty file has all defaults")
  func empty() throws {
    var expected = try read("")
    expected.output.folder = "runs/c"
    #expect(try readFile([]) == expected)
    for text in ["# nothing\n", "---\n# nothing\n", "null\n"] {
      #expect(try readFile(Array(text.utf8)) == expected)
    }
  }

  @Test("a missing file and a folder say so")
  func notAFile() throws {
    try withTemporaryFolder { folder in
      let missing = #expect(throws: Problem.self) {
        try ConfigurationReader.read(file: folder + "/none.yaml")
      }
      #expect(missing?.status == .missingInput)
      #expect(missing?.subject == folder + "/none.yaml")
      let isFolder = #expect(throws: Problem.self) {
        try ConfigurationReader.read(file: folder)
      }
      #expect(isFolder?.found == "this is a folder")
    }
  }

  @Test("random bytes are refused or read, and nothing crashes")
  func randomBytes() {
    var random = TestGenerator(state: 18)
    let alphabet = Array("seed: data\n  kind{}[],'\"|>-?#&*!%@`\t\r1.e~\u{E9}".utf8)
    var refused = 0
    for _ in 0..<2000 {
      let bytes = (0..<Int.random(in: 0...60, using: &random)).map { _ in
        alphabet.randomElement(using: &random)!
      }
      let text = String(decoding: bytes, as: UTF8.self)
      if !faults(text).isEmpty { refused += 1 }
    }
    #expect(refused > 1900)
  }

  @Test(
    "every published configuration is right",
    arguments: [
      "cifar10-sonnet", "cifar10-zalando", "demo", "smoke",
    ])
  func published(name: String) throws {
    let configuration = try ConfigurationReader.read(
      file: "\(packageFolder)/configs/\(name).yaml")
    #expect(configuration.output.folder == "runs/\(name)")
    #expect((configuration.data.kind == .cifar10) == name.hasPrefix("cifar10"))
    #expect(
      configuration.model.options(of: ResidualArchitecture.self).preset
        == (["cifar10-sonnet", "demo"].contains(name) ? .sonnet : .zalando))
  }

  @Test("no published configuration is left out above")
  func publishedAreTested() throws {
    let files = try FileManager.default.contentsOfDirectory(atPath: packageFolder + "/configs")
    for file in files where file.hasSuffix(".yaml") {
      #expect(throws: Never.self) {
        try ConfigurationReader.read(file: "\(packageFolder)/configs/\(file)")
      }
    }
    #expect(files.count(where: { $0.hasSuffix(".yaml") }) >= 4)
  }
}
