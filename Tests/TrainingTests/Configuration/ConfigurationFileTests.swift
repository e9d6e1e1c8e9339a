import Autoencoders
import Configurations
import Diagnostics
import Files
import Foundation
import Glibc
import Quantizers
import TestSupport
import Testing

/// Reading a configuration from a path.
@Suite("Configuration files")
struct ConfigurationFileTests {
  /// Reads a file with the given bytes.
  private func readFile(_ bytes: [UInt8]) throws -> Configuration {
    try withTemporaryFolder { folder in
      try write(bytes, to: folder + "/c.yaml")
      return try ConfigurationReader.read(file: folder + "/c.yaml")
    }
  }

  @Test("a place in a message begins with the path as given")
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

  @Test("a file of 64 KiB is read, one with a byte more is refused")
  func size() throws {
    let comment = [UInt8](repeating: UInt8(ascii: "#"), count: 65_536 - 8) + Array("\nseed: 7".utf8)
    #expect(comment.count == 65_536)
    #expect(try readFile(comment).seed == 7)
    let problem = #expect(throws: Problem.self) { try readFile(comment + [UInt8(ascii: "\n")]) }
    #expect(problem?.description.contains("65537 bytes; expected at most 65536") == true)
  }

  static let notUTF8: [[UInt8]] = [
    Array("data:\n  root: caf".utf8) + [0xE9, 0x0A], [0xC0, 0x80], [0xED, 0xA0, 0x80], [0x80],
  ]

  @Test("a file that is not UTF-8 is refused", arguments: notUTF8)
  func encoding(_ bytes: [UInt8]) {
    let problem = #expect(throws: Problem.self) { try readFile(bytes) }
    #expect(problem?.description.contains("not text; expected UTF-8") == true)
  }

  static let encodings: [(String.Encoding, mark: [UInt8], name: String)] = [
    (.utf16LittleEndian, [0xFF, 0xFE], "UTF-16, little-endian"),
    (.utf16BigEndian, [0xFE, 0xFF], "UTF-16, big-endian"),
    (.utf32LittleEndian, [0xFF, 0xFE, 0, 0], "UTF-32, little-endian"),
    (.utf32BigEndian, [0, 0, 0xFE, 0xFF], "UTF-32, big-endian"),
  ]

  @Test("other Unicode encodings are named, with and without a mark", arguments: encodings)
  func unicode(_ row: (encoding: String.Encoding, mark: [UInt8], name: String)) throws {
    for text in ["seed: 1\n", "# größe\r\nseed: 1\r\n", "s"] {
      let bytes = [UInt8](try #require(text.data(using: row.encoding)))
      for bytes in [bytes, row.mark + bytes] {
        let problem = #expect(throws: Problem.self) { try readFile(bytes) }
        #expect(problem?.status == .badConfiguration)
        #expect(
          problem?.description.hasSuffix("the text is encoded in \(row.name); expected UTF-8")
            == true,
          "\(bytes)")
      }
    }
  }

  @Test("an empty file is refused; one with empty braces gives all defaults")
  func empty() throws {
    for text in ["", "# nothing\n", "---\n# nothing\n", "null\n"] {
      #expect(throws: ConfigurationError.self) { try readFile(Array(text.utf8)) }
    }
    #expect(try readFile(Array("{}".utf8)) == read(""))
  }

  @Test("the contents of a file in /proc are read although its size is 0")
  func procFile() {
    let error = #expect(throws: ConfigurationError.self) {
      try ConfigurationReader.read(file: "/proc/self/comm")
    }
    #expect(error?.faults.count == 1)
    #expect(error?.faults.first?.message.contains("expected a mapping") == true)
  }

  @Test("a pipe is read to its end, and has to name its run folder")
  func pipe() throws {
    try withTemporaryFolder { folder in
      let path = folder + "/pipe"
      try #require(mkfifo(path, 0o600) == 0)
      func read(_ text: String, _ runFolder: String? = nil, needsRunFolder: Bool = true) throws
        -> Configuration
      {
        let writer = Thread {
          // Write after the reader has opened the pipe, and in two parts.
          usleep(50_000)
          let descriptor = open(path, O_WRONLY)
          for part in [text.prefix(3), text.dropFirst(3)] {
            _ = Array(part.utf8).withUnsafeBytes {
              Glibc.write(descriptor, $0.baseAddress, $0.count)
            }
            usleep(20_000)
          }
          close(descriptor)
        }
        writer.start()
        return try ConfigurationReader.read(
          file: path, runFolder: runFolder, needsRunFolder: needsRunFolder)
      }
      #expect(try read("seed: 7\noutput: {folder: x}\n").seed == 7)
      #expect(try read("seed: 7\n", "y").output.folder == "y")
      #expect(try read("seed: 7\n", needsRunFolder: false).seed == 7)
      let error = #expect(throws: ConfigurationError.self) { try read("seed: 7\n") }
      #expect(error?.faults.map(\.place) == ["\(path):1:1"])
      #expect(error?.faults.first?.message.contains("give --run FOLDER") == true)
    }
  }

  @Test("devices are refused at once", arguments: ["/dev/zero", "/dev/full", "/dev/null"])
  func device(_ path: String) {
    let problem = #expect(throws: Problem.self) { try ConfigurationReader.read(file: path) }
    #expect(
      problem?.description.hasPrefix("\(path): this is a device; expected a file or a pipe") == true
    )
  }

  @Test("a missing file and a folder are reported as such")
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
    "the published configurations have the expected images, presets and run folders",
    arguments: [
      "cifar10-sonnet", "cifar10-zalando", "demo", "smoke",
    ])
  func published(name: String) throws {
    let configuration = try ConfigurationReader.read(
      file: "\(packageFolder)/configs/\(name).yaml")
    #expect(configuration.output.folder == "runs/\(name)")
    #expect((configuration.data.kind == "cifar10") == name.hasPrefix("cifar10"))
    #expect(
      configuration.model.options(of: ResidualArchitecture.self).preset
        == (["cifar10-sonnet", "demo"].contains(name) ? .sonnet : .zalando))
  }

  @Test("the demo's configuration in the program is configs/demo.yaml")
  func demo() throws {
    let text = try readText(packageFolder + "/configs/demo.yaml", limit: 1 << 16)
    #expect(DemoConfiguration.yaml == text)
    #expect(
      try DemoConfiguration.read().yaml() == ConfigurationReader.read(yaml: text, name: "x").yaml())
  }

  @Test("every file in configs is a valid configuration")
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
