import ArgumentParser
import Diagnostics
import Files
import TerminalText

struct DoctorCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "doctor",
    abstract: "Checks this machine, and a folder of images; writes nothing.",
    discussion: """
      Each line begins with ok, warning or fault, and says what to do unless it is ok. A warning: training \
      works, but slower or otherwise than one may expect. A fault: training here ends with an exit code; \
      that of the first fault is the exit code of doctor. Takes a few seconds.
      """)

  @Argument(
    help: ArgumentHelp("A folder of CIFAR-10 batch files to check too.", valueName: "folder"),
    completion: .directory)
  var data: String?

  @Flag(help: "Print only one JSON object on standard output.")
  var json = false

  func run() throws {
    let checks = Checks.all(data: try data.map { try expandedPath($0) })
    let results = checks.map { check in
      Terminal.rewrite { leadingWords("checking: \(check.name)", width: $0) }
      return DoctorReport.Entry(check.name, Self.finding(of: check))
    }
    Terminal.clearLine()
    let report = DoctorReport(checks: results)
    if json {
      try Terminal.result(json: report)
    } else {
      try Terminal.result(report.lines.joined(separator: "\n"))
    }
    if let status = report.status { throw ExitCode(status.rawValue) }
  }

  private static func finding(of check: Check) -> Finding {
    do {
      return try check.find()
    } catch let problem as Problem {
      return .fault(problem)
    } catch {
      return .fault(
        .failure, "the check failed: \(error)", advice: "This is an error of vqvae; report it.")
    }
  }
}

/// The results of all checks.
struct DoctorReport: Encodable {
  struct Entry: Encodable {
    let name: String
    let finding: Finding

    init(_ name: String, _ finding: Finding) { (self.name, self.finding) = (name, finding) }

    private enum CodingKeys: String, CodingKey {
      case name, state, value, advice
    }

    func encode(to encoder: any Encoder) throws {
      var object = encoder.container(keyedBy: CodingKeys.self)
      try object.encode(name, forKey: .name)
      try object.encode(finding.state, forKey: .state)
      try object.encode(finding.value, forKey: .value)
      // Null if there is none, so that every entry has the same keys.
      try object.encode(finding.advice, forKey: .advice)
    }
  }

  let checks: [Entry]

  /// The exit code of the first fault, or nil if there is none.
  var status: ExitStatus? { checks.first { $0.finding.state == .fault }?.finding.status }

  var lines: [String] {
    let width = checks.map(\.name.count).max() ?? 0
    return checks.map { check in
      let finding = check.finding
      let line = padded(finding.state.rawValue, 7) + padded(check.name, width) + finding.value
      // One line for each check, so that scripts can read them.
      return visible(
        line + (finding.advice.map { ". \($0)" } ?? "").replacing(/\s*\n\s*/, with: " "))
    }
  }

  private func padded(_ text: String, _ width: Int) -> String {
    text + String(repeating: " ", count: max(0, width - text.count) + 2)
  }
}
