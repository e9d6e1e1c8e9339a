import Glibc

/// The number of processors that this process may use.
package enum Processors {
  /// The minimum of the affinity mask and the quota of the control groups (v2 and v1); at least 1.
  package static var allowed: Int {
    max(1, min(affinity, quota.map { Int($0.rounded(.up)) } ?? .max))
  }

  /// The number of processors of the machine that are switched on.
  package static var online: Int { sysconf(Int32(_SC_NPROCESSORS_ONLN)) }

  /// The number of processors in the affinity mask of this process.
  package static var affinity: Int {
    affinity(status: systemLines("/proc/self/status")) ?? online
  }

  /// How much processor time the control groups allow, as a number of processors; or nil if there is no limit.
  package static var quota: Double? {
    ControlGroup.lowest(
      "cpu", v2: ["cpu.max"], v1: ["cpu.cfs_quota_us", "cpu.cfs_period_us"], quota)
  }

  /// The number of processors in the affinity mask, which `taskset` and container engines set; or nil if
  /// there is none.
  ///
  /// - Parameter status: the lines of `/proc/self/status`. `Cpus_allowed:` has the mask in hexadecimal.
  package static func affinity(status: [String]) -> Int? {
    guard let line = status.first(where: { $0.hasPrefix("Cpus_allowed:") }) else { return nil }
    let bits = line.dropFirst("Cpus_allowed:".count).compactMap(\.hexDigitValue)
      .reduce(0) { $0 + $1.nonzeroBitCount }
    return bits > 0 ? bits : nil
  }

  /// quota / period, a number of processors; or nil if there is no limit.
  ///
  /// - Parameter lines: the quota and the period in microseconds. The quota is `max` (v2) or −1 (v1) if
  ///   there is no limit.
  package static func quota(_ lines: [String]) -> Double? {
    let numbers = lines.flatMap { $0.split(whereSeparator: \.isWhitespace) }.map { Int($0) }
    guard numbers.count == 2, let quota = numbers[0], let period = numbers[1], quota > 0, period > 0
    else { return nil }
    return Double(quota) / Double(period)
  }
}
