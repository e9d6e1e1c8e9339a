import Glibc

/// The memory that this process can still allocate.
package enum AvailableMemory {
  /// In bytes: the minimum of what remains under the resource limits of the process, the memory limit of its
  /// control groups (v2 and v1), and what the machine has available. `Int.max` if none of them is known.
  package static var bytes: Int {
    [addressSpace?.left, data?.left, groupLimit, machine?.available].compactMap(\.self).min()
      ?? .max
  }

  /// The machine's memory in bytes, and how much of it and of its swap space is available; or nil if unknown.
  package static var machine: (total: Int, available: Int)? {
    let lines = systemLines("/proc/meminfo")
    guard let total = kilobytes("MemTotal", lines),
      let available = kilobytes("MemAvailable", lines)
    else { return nil }
    return (total, available + (kilobytes("SwapFree", lines) ?? 0))
  }

  /// The memory limit of the control groups in bytes, or nil if there is none.
  package static var groupLimit: Int? {
    ControlGroup.lowest("memory", v2: ["memory.max"], v1: ["memory.limit_in_bytes"], number)
  }

  /// The limit on the address space (`ulimit -v`) and what remains under it, in bytes; or nil if there is none.
  package static var addressSpace: (limit: Int, left: Int)? {
    remainder(.addressSpace, used: "VmSize")
  }

  /// The limit on data (`ulimit -d`) and what remains under it, in bytes; or nil if there is none.
  package static var data: (limit: Int, left: Int)? { remainder(.data, used: "VmData") }

  private static func remainder(
    _ resource: ResourceLimit, used key: String
  ) -> (limit: Int, left: Int)? {
    guard let limit = resource.bytes else { return nil }
    let used = kilobytes(key, systemLines("/proc/self/status")) ?? 0
    return (limit, max(0, limit - used))
  }

  /// The value of a line such as `VmSize:    1234 kB`, in bytes; or nil if there is no such line.
  private static func kilobytes(_ key: String, _ lines: [String]) -> Int? {
    guard let line = lines.first(where: { $0.hasPrefix(key + ":") }) else { return nil }
    let words = line.split(whereSeparator: \.isWhitespace)
    return words.count == 3 ? Int(words[1]).map { $0 * 1024 } : nil
  }

  /// The single number of a file; or nil if it says that there is no limit: `max` (v2), or a number near 2⁶³ (v1).
  private static func number(_ lines: [String]) -> Int? {
    lines.first.flatMap { Int($0.split(whereSeparator: \.isWhitespace).first ?? "") }
      .flatMap { $0 < 1 << 60 ? $0 : nil }
  }
}
