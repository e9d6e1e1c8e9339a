import Glibc
import Tensors
import TerminalText

/// The terminal, and environment variables.
extension Checks {
  static func terminal() -> Finding {
    guard let columns = Terminal.columns else {
      return .ok("standard error is not a terminal: progress is plain lines, without colours")
    }
    let codes = charset
    let value =
      "\(columns) columns, TERM=\(variable("TERM") ?? ""), \(codes), "
      + (Terminal.isInteractive ? "progress rewrites its line" : "progress is plain lines")
      + ", no colours are used"
    guard codes.lowercased().replacing("-", with: "") == "utf8" else {
      return .warning(
        value, advice: "export LC_ALL=C.UTF-8, or × and … can be shown as other characters.")
    }
    guard columns >= 20 else {
      return .warning(value, advice: "Make the window at least 20 columns wide.")
    }
    return .ok(value)
  }

  /// The character encoding that the locale names, such as `UTF-8`; or the name of the locale.
  private static var charset: String {
    let locale = ["LC_ALL", "LC_CTYPE", "LANG"].lazy.compactMap(variable).first ?? "C"
    return locale.split(separator: ".").dropFirst().first
      .map { String($0.prefix { $0 != "@" }) } ?? "locale \(locale)"
  }

  /// Variables that choose a number of threads for OpenBLAS or OpenMP.
  private static let threadVariables = [
    "OPENBLAS_NUM_THREADS", "GOTO_NUM_THREADS", "OMP_NUM_THREADS",
  ]

  /// The variables that the program or OpenBLAS read.
  private static let variables =
    ["HOME", "TERM", KernelSet.variable, "OPENBLAS_CORETYPE"] + threadVariables

  static func environment() -> Finding {
    let value = variables.compactMap { name in variable(name).map { "\(name)=\($0)" } }
      .joined(separator: ", ")
    guard variable("HOME")?.hasPrefix("/") == true else {
      return .warning(
        value.isEmpty ? "HOME is not set" : value,
        advice: "Set HOME to an absolute path, or do not begin paths with ~/.")
    }
    if let name = threadVariables.first(where: { name in
      variable(name).map { Int($0) ?? 0 < 1 } ?? false
    }) {
      return .warning(
        value,
        advice: "\(name) is not a number of threads. Unset it: vqvae has threads of its own, and "
          + "--threads chooses how many.")
    }
    return .ok(
      value + (usesThreadVariable ? "; --threads alone chooses the number of threads" : ""))
  }

  private static var usesThreadVariable: Bool {
    threadVariables.contains { variable($0) != nil }
  }

  /// The value of a variable, or nil if it is not set or empty.
  private static func variable(_ name: String) -> String? {
    getenv(name).map { String(cString: $0) }.flatMap { $0.isEmpty ? nil : $0 }
  }
}
