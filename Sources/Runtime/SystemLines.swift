import Glibc

/// The lines of a file of the kernel's; such files have no size, so they are read line by line.
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
