import Diagnostics
import Glibc

/// A path as a user wrote it, with the home folder in place of a leading `~/`.
///
/// A shell does this for a word of its own, but not within a file or behind `=`, where a folder of the
/// name `~` would be made. What else only a shell can expand is an error, and not a name: `~user/…` and
/// a leading `$`.
package func expandedPath(
  _ path: String, home: String? = getenv("HOME").map { String(cString: $0) }
) throws -> String {
  func problem(_ found: String) -> Problem {
    Problem(
      .usage, path, found: found, expected: "a path that is written out",
      advice: "A file or folder of that very name is ./\(path).")
  }
  if path.utf8.contains(0) {
    throw Problem(.usage, path, found: "the path has a NUL byte", expected: "a path")
  }
  if path.hasPrefix("$") { throw problem("a variable is not expanded") }
  guard path.hasPrefix("~") else { return path }
  guard path == "~" || path.hasPrefix("~/") else {
    throw problem("only ~/ is expanded, and no other home folder")
  }
  guard var home, home.hasPrefix("/") else {
    throw problem("~ cannot be expanded, for HOME is not set to a path")
  }
  while home.count > 1, home.hasSuffix("/") { home.removeLast() }
  let rest = path.dropFirst(2).drop { $0 == "/" }
  if rest.isEmpty { return home }
  return home == "/" ? "/\(rest)" : "\(home)/\(rest)"
}
