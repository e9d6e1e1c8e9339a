import Glibc

/// The lines of a file in /proc or /sys, or none if it cannot be opened. Read line by line, because the
/// kernel does not report the sizes of such files. Lines over 4 KiB are split.
func systemLines(_ path: String) -> [String] {
  guard let file = fopen(path, "r") else { return [] }
  defer { fclose(file) }
  var buffer = [CChar](repeating: 0, count: 4096)
  var lines: [String] = []
  while fgets(&buffer, Int32(buffer.count), file) != nil {
    lines.append(
      String(decoding: buffer.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self))
  }
  return lines
}
