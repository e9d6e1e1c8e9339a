import Glibc

/// A number with a fixed number of decimals.
func fixed(_ value: Double, _ decimals: Int) -> String {
  formatted("%.*f", [Int32(decimals), value])
}

/// A number with two significant digits and a power of ten.
func scientific(_ value: Double) -> String { formatted("%.1e", [value]) }

private func formatted(_ format: String, _ arguments: [any CVarArg]) -> String {
  var buffer = [CChar](repeating: 0, count: 400)
  let length = withVaList(arguments) { vsnprintf(&buffer, buffer.count, format, $0) }
  return String(
    decoding: buffer.prefix(Int(length)).map { UInt8(bitPattern: $0) }, as: UTF8.self)
}

/// A number of bytes, such as `1.5 GB` or `256 MB`.
func byteCount(_ bytes: Int) -> String {
  let units = [(1e12, "TB"), (1e9, "GB"), (1e6, "MB"), (1e3, "kB")]
  guard let (size, name) = units.first(where: { Double(bytes) >= $0.0 }) else {
    return "\(bytes) bytes"
  }
  let number = Double(bytes) / size
  return "\(fixed(number, number < 100 ? 1 : 0)) \(name)"
}

/// A duration as hours, minutes and seconds.
func clockTime(_ seconds: Double) -> String {
  let total = Int(min(max(seconds, 0), 1e9).rounded())
  let (hours, minutes, rest) = (total / 3600, total / 60 % 60, total % 60)
  func two(_ number: Int) -> String { number < 10 ? "0\(number)" : "\(number)" }
  return hours > 0 ? "\(hours):\(two(minutes)):\(two(rest))" : "\(minutes):\(two(rest))"
}
