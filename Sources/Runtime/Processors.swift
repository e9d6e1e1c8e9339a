import Glibc

/// How many processors this process may use.
package enum Processors {
  /// The least of what the affinity mask and the control groups (v2, then v1) allow; at least 1.
  package static var allowed: Int {
    let online = sysconf(Int32(_SC_NPROCESSORS_ONLN))
    let affinity = affinity(status: systemLines("/proc/self/status")) ?? online
    let quota =
      quota(systemLines("/sys/fs/cgroup/cpu.max"))
      ?? quota(
        systemLines("/sys/fs/cgroup/cpu/cpu.cfs_quota_us")
          + systemLines("/sys/fs/cgroup/cpu/cpu.cfs_period_us"))
    return max(1, min(affinity, quota ?? .max))
  }

  /// The processors of the line `Cpus_allowed:` of `/proc/self/status`, a mask in hexadecimal, which
  /// `taskset` and container engines set.
  package static func affinity(status: [String]) -> Int? {
    guard let line = status.first(where: { $0.hasPrefix("Cpus_allowed:") }) else { return nil }
    let bits = line.dropFirst("Cpus_allowed:".count).compactMap(\.hexDigitValue)
      .reduce(0) { $0 + $1.nonzeroBitCount }
    return bits > 0 ? bits : nil
  }

  /// Quota and period in microseconds as a number of processors, rounded up; nil without a limit.
  package static func quota(_ lines: [String]) -> Int? {
    let numbers = lines.flatMap { $0.split(whereSeparator: \.isWhitespace) }.map { Int($0) }
    guard numbers.count == 2, let quota = numbers[0], let period = numbers[1], quota > 0, period > 0
    else { return nil }
    return (quota + period - 1) / period
  }
}
