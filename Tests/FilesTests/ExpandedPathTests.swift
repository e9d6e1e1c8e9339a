import Files
import TestSupport
import Testing

@Suite("expandedPath")
struct ExpandedPathTests {
  @Test(
    "A leading ~/ is expanded to the home folder, and nothing else changes",
    arguments: [
      ("~/x", "/home/a/x"), ("~//x y/", "/home/a/x y/"), ("~/", "/home/a"), ("~", "/home/a"),
      ("", ""), ("a/~/b", "a/~/b"), ("./~/b", "./~/b"), ("a$b", "a$b"), ("./$x", "./$x"),
      ("/a~", "/a~"), ("-", "-"),
    ])
  func expanded(_ path: String, _ expected: String) throws {
    #expect(try expandedPath(path, home: "/home/a") == expected)
    #expect(try expandedPath(path, home: "/home/a//") == expected)
  }

  @Test("The home folder may be /")
  func root() throws {
    #expect(try expandedPath("~/x", home: "/") == "/x")
    #expect(try expandedPath("~", home: "/") == "/")
  }

  @Test(
    "Other shell expansions are errors", arguments: ["~bob", "~bob/x", "$HOME/x", "$x", "${x}"])
  func refused(_ path: String) {
    let problem = expectProblem(.usage, about: path) {
      _ = try expandedPath(path, home: "/home/a")
    }
    #expect(problem?.expected == "a path that is written out")
    #expect(problem?.advice?.contains("./\(path)") == true)
  }

  @Test("Without a valid HOME, ~/ is an error", arguments: [nil, "", "home"])
  func homeless(_ home: String?) {
    let problem = expectProblem(.usage, about: "~/x") { _ = try expandedPath("~/x", home: home) }
    #expect(problem?.found.contains("HOME") == true)
  }

  @Test("A NUL byte, which would end the path, is an error")
  func nul() {
    _ = expectProblem(.usage, about: "a\0b") { _ = try expandedPath("a\0b") }
  }
}
