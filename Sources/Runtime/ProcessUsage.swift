import Glibc

/// Memory, page faults and age of this process, from the operating system.
package enum ProcessUsage {
  /// Memory of the process in bytes, or nil if the system does not report it.
  package struct Memory: Sendable, Equatable {
    /// Resident anonymous memory now (RssAnon): allocated and touched by the process.
    package let anonymous: Int?
    /// Peak resident memory (VmHWM), including the program and its libraries.
    package let peakResident: Int?

    /// - Parameter status: the text of `/proc/self/status`.
    package init(status: String) {
      func bytes(_ key: String) -> Int? {
        for line in status.split(separator: "\n") where line.hasPrefix(key + ":") {
          let words = line.dropFirst(key.count + 1).split(whereSeparator: \.isWhitespace)
          guard words.count == 2, words[1] == "kB", let count = Int(words[0]) else { return nil }
          return count * 1024
        }
        return nil
      }
      anonymous = bytes("RssAnon")
      peakResident = bytes("VmHWM")
    }
  }

  package static var memory: Memory { Memory(status: text("/proc/self/status") ?? "") }

  /// Minor page faults so far: pages touched for the first time, or again after they were given back.
  package static var pageFaults: Int {
    var usage = rusage()
    getrusage(__rusage_who_t(RUSAGE_SELF.rawValue), &usage)
    return usage.ru_minflt
  }

  /// Seconds since the process was started, before the dynamic linker ran; or nil if the system does not
  /// report it. The kernel records the start in ticks of 10 ms, rounded down.
  package static var age: Double? {
    guard let start = text("/proc/self/stat").flatMap(startTicks) else { return nil }
    var now = timespec()
    guard clock_gettime(CLOCK_BOOTTIME, &now) == 0 else { return nil }
    let seconds = Double(now.tv_sec) + Double(now.tv_nsec) * 1e-9
    return seconds - Double(start) / Double(sysconf(Int32(_SC_CLK_TCK)))
  }

  /// When the process was started, in clock ticks since the system booted; or nil if the text is invalid.
  ///
  /// - Parameter stat: the text of `/proc/self/stat`.
  package static func startTicks(_ stat: String) -> Int? {
    // The start is field 22. Field 2 is the program's name in parentheses, which may itself contain blanks
    // and parentheses, so fields are counted from the last ")"; the first after it is field 3.
    guard let end = stat.lastIndex(of: ")") else { return nil }
    let fields = stat[stat.index(after: end)...].split(whereSeparator: \.isWhitespace)
    return fields.count > 19 ? Int(fields[19]) : nil
  }

  /// The first 16 KiB of a file in /proc, whose size the kernel reports as 0; or nil if it cannot be opened.
  private static func text(_ path: String) -> String? {
    guard let file = fopen(path, "r") else { return nil }
    defer { fclose(file) }
    var buffer = [UInt8](repeating: 0, count: 1 << 14)
    let count = fread(&buffer, 1, buffer.count, file)
    return String(decoding: buffer.prefix(count), as: UTF8.self)
  }
}
