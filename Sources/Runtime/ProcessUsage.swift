import Glibc

/// What the system says about this process.
package enum ProcessUsage {
  /// Memory of the process in bytes; nil where the system does not tell.
  package struct Memory: Sendable, Equatable {
    /// Anonymous memory that is resident now: what the process allocated and has touched.
    package let anonymous: Int?
    /// The most that was ever resident, the program and its libraries included.
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

  /// Pages that the process has touched for the first time, or again after it gave them back.
  package static var pageFaults: Int {
    var usage = rusage()
    getrusage(__rusage_who_t(RUSAGE_SELF.rawValue), &usage)
    return usage.ru_minflt
  }

  /// Seconds since the process was started, that is since before the dynamic linker ran; nil where the
  /// system does not tell. The kernel notes the start in ticks of 10 ms, rounded down.
  package static var age: Double? {
    guard let start = text("/proc/self/stat").flatMap(startTicks) else { return nil }
    var now = timespec()
    guard clock_gettime(CLOCK_BOOTTIME, &now) == 0 else { return nil }
    let seconds = Double(now.tv_sec) + Double(now.tv_nsec) * 1e-9
    return seconds - Double(start) / Double(sysconf(Int32(_SC_CLK_TCK)))
  }

  /// When the process was started, in clock ticks since the system was.
  ///
  /// - Parameter stat: the text of `/proc/self/stat`.
  package static func startTicks(_ stat: String) -> Int? {
    // The program's name is in parentheses and may hold anything, blanks and parentheses included;
    // the start is field 22, and field 3 comes first after the name.
    guard let end = stat.lastIndex(of: ")") else { return nil }
    let fields = stat[stat.index(after: end)...].split(whereSeparator: \.isWhitespace)
    return fields.count > 19 ? Int(fields[19]) : nil
  }

  /// A file of the kernel's; such files have no size.
  private static func text(_ path: String) -> String? {
    guard let file = fopen(path, "r") else { return nil }
    defer { fclose(file) }
    var buffer = [UInt8](repeating: 0, count: 1 << 14)
    let count = fread(&buffer, 1, buffer.count, file)
    return String(decoding: buffer.prefix(count), as: UTF8.self)
  }
}
