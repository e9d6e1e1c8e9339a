import Diagnostics
import Glibc

/// Expands a leading `~/` in a path to the home folder.
///
/// A shell expands `~/` only at the start of a word. In a configuration file or after `=`, the path would
/// otherwise name a folder called `~`. Throws for other shell expansions (`~user/…` and a leading `$`) rather
/// than treating them as names.
package func expandedPath(
  _ path: String, home: String? = getenv("HOME").map { String(cString: $0) }
) throws -> String {
  func problem(_ found: String) -> Problem {
    Problem(
      .usage, path, found: found, expected: "a path that is written out",
      advice: "For a file or folder with exactly this name, write ./\(path).")
  }
  if path.utf8.contains(0) {
    throw Problem(.usage, path, found: "the path has a NUL byte", expected: "a path")
  }
  if path.hasPrefix("$") { throw problem("shell variables are not expanded") }
  guard path.hasPrefix("~") else { return path }
  guard path == "~" || path.hasPrefix("~/") else {
    throw problem("only ~/ is expanded, not other home folders")
  }
  guard var home, home.hasPrefix("/") else {
    throw problem("~ cannot be expanded, because HOME is not an absolute path")
  }
  while home.count > 1, home.hasSuffix("/") { home.removeLast() }
  let rest = path.dropFirst(2).drop { $0 == "/" }
  if rest.isEmpty { return home }
  return home == "/" ? "/\(rest)" : "\(home)/\(rest)"
}
