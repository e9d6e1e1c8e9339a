/// A word as a shell reads it, in quotation marks where it needs them.
package func shellWord(_ word: String) -> String {
  let isPlain = word.utf8.allSatisfy {
    switch UInt8($0) {
    case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
      UInt8(ascii: "0")...UInt8(ascii: "9"):
      true
    default: "/._-+:,@%=".utf8.contains($0)
    }
  }
  if isPlain, !word.isEmpty { return word }
  return "'"
    + word.split(separator: "'", omittingEmptySubsequences: false).joined(separator: "'\\''")
    + "'"
}
