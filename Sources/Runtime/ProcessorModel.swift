/// What the system says about the type of the processors.
package struct ProcessorModel: Sendable, Equatable {
  /// Such as `AMD EPYC`, or nil if the system does not say.
  package let name: String?
  /// Names of instruction sets and other features, such as `avx2`.
  package let features: Set<String>
  /// Packages, and cores of all packages; nil if the system does not say, as on Arm.
  package let sockets: Int?
  package let cores: Int?

  package static var current: ProcessorModel {
    ProcessorModel(cpuinfo: systemLines("/proc/cpuinfo"))
  }

  /// - Parameter lines: those of `/proc/cpuinfo`. The long line of features can be split.
  package init(cpuinfo lines: [String]) {
    // Joined, because systemLines splits a line over 4 KiB.
    let fields = lines.joined().split(separator: "\n").map { line in
      line.split(separator: ":", maxSplits: 1).map { $0.trimmed }
    }
    func values(_ key: String) -> [String] {
      fields.compactMap { $0.count == 2 && $0[0] == key ? $0[1] : nil }
    }
    name = values("model name").first ?? values("Model").first
    let flags = values("flags").first ?? values("Features").first ?? ""
    features = Set(flags.split(separator: " ").map(String.init))
    let packages = values("physical id")
    sockets = packages.isEmpty ? nil : Set(packages).count
    let ids = zip(packages, values("core id")).map { "\($0) \($1)" }
    cores = ids.isEmpty ? nil : Set(ids).count
  }
}

extension Substring {
  fileprivate var trimmed: String {
    var text = drop(while: \.isWhitespace)
    while text.last?.isWhitespace == true { text.removeLast() }
    return String(text)
  }
}
