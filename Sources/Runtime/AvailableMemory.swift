import Glibc

/// The memory that this process can still allocate.
package enum AvailableMemory {
  /// In bytes: the minimum of what remains under the resource limits of the process, the memory limit of its
  /// control group (v2, or else v1), and what the machine has available. `Int.max` if none of them is known.
  package static var bytes: Int {
    let status = systemLines("/proc/self/status")
    let limits = [
      left(RLIMIT_AS, used: kilobytes("VmSize", status)),
      left(RLIMIT_DATA, used: kilobytes("VmData", status)),
      number(systemLines("/sys/fs/cgroup/memory.max"))
        ?? number(systemLines("/sys/fs/cgroup/memory/memory.limit_in_bytes")),
      machine(systemLines("/proc/meminfo")),
    ]
    return limits.compactMap(\.self).min() ?? .max
  }

  /// Available memory and free swap space, in bytes; or nil if unknown.
  private static func machine(_ lines: [String]) -> Int? {
    kilobytes("MemAvailable", lines).map { $0 + (kilobytes("SwapFree", lines) ?? 0) }
  }

  /// What remains under a resource limit, in bytes; or nil if there is no limit.
  private static func left(_ resource: __rlimit_resource, used: Int?) -> Int? {
    var limit = rlimit()
    guard getrlimit(__rlimit_resource_t(resource.rawValue), &limit) == 0,
      limit.rlim_cur < UInt64(Int.max)
    else { return nil }
    return max(0, Int(limit.rlim_cur) - (used ?? 0))
  }

  /// The value of a line such as `VmSize:    1234 kB`, in bytes; or nil if there is no such line.
  private static func kilobytes(_ key: String, _ lines: [String]) -> Int? {
    guard let line = lines.first(where: { $0.hasPrefix(key + ":") }) else { return nil }
    let words = line.split(whereSeparator: \.isWhitespace)
    return words.count == 3 ? Int(words[1]).map { $0 * 1024 } : nil
  }

  /// The single number of a file; or nil if it says `max`.
  private static func number(_ lines: [String]) -> Int? {
    lines.first.flatMap { Int($0.split(whereSeparator: \.isWhitespace).first ?? "") }
  }
}
