import Configurations
import Diagnostics
import Files
import Foundation
import TestSupport
import Testing
import Training

@Suite("The documents agree with the program")
struct DocumentationTests {
  /// With `RECORD_DOCS=1` in the environment the table is written instead, and the test fails, so that
  /// recording does not count as passing.
  @Test("docs/configuration.md has every field, with its range, default and meaning")
  func configuration() throws {
    let path = "\(packageFolder)/docs/configuration.md"
    let text = try readText(path, limit: 1 << 20)
    let start = try #require(text.range(of: "| field |"))
    let introduction = text[..<start.lowerBound]
    if ProcessInfo.processInfo.environment["RECORD_DOCS"] == "1" {
      try AtomicFile.write(path, text: introduction + table)
      Issue.record("recorded \(path)")
      return
    }
    #expect(text == introduction + table)
  }

  private var table: String {
    var lines = ["| field | default | expected | meaning |", "|---|---|---|---|"]
    for field in Configuration.fields {
      let value = field.initial.map { "`\($0.text)`" } ?? "–"
      lines.append("| `\(field.name)` | \(value) | \(field.domain.expected) | \(field.meaning) |")
    }
    return lines.joined(separator: "\n") + "\n"
  }

  @Test("the README has every exit code with its meaning")
  func exitCodes() throws {
    let readme = try readText("\(packageFolder)/README.md", limit: 1 << 20)
    for status in ExitStatus.allCases {
      #expect(readme.contains("| \(status.rawValue) | \(status.meaning) |"), "\(status)")
    }
  }

  @Test("every link in the documents leads to a file")
  func links() throws {
    let documents = try FileManager.default.contentsOfDirectory(atPath: "\(packageFolder)/docs")
      .filter { $0.hasSuffix(".md") }
    #expect(documents.contains("reproduced-systems.md") && documents.contains("architectures.md"))
    for (folder, names) in [("", ["README.md"]), ("/docs", documents)] {
      for name in names {
        let text = try readText("\(packageFolder)\(folder)/\(name)", limit: 1 << 20)
        for match in text.matches(of: /\]\(([^)]+)\)/) where !match.output.1.hasPrefix("http") {
          #expect(
            try fileExists("\(packageFolder)\(folder)/\(match.output.1)"), "\(match.output.1)")
        }
      }
    }
  }
}
