import Diagnostics
import Files
import Testing

@Suite("Problem")
struct ProblemTests {
  @Test("The description is subject, found and expected, with the advice on a second line")
  func description() {
    #expect("\(Problem(.badData, "a.bin", found: "it is bad"))" == "a.bin: it is bad")
    #expect(
      "\(Problem(.badData, "a.bin", found: "3 bytes", expected: "4"))"
        == "a.bin: 3 bytes; expected 4")
    #expect(
      "\(Problem(.missingInput, "a.bin", found: "no such file", advice: "Look elsewhere."))"
        == "a.bin: no such file\n  Look elsewhere.")
    #expect(
      "\(Problem(.usage, "--x", found: "3", expected: "4", advice: "Use 4."))"
        == "--x: 3; expected 4\n  Use 4.")
  }

  @Test("Exit codes follow sysexits.h and the shells, and no two have the same meaning")
  func statuses() {
    let codes: [Diagnostics.ExitStatus: Int32] = [
      .success: 0, .failure: 1, .usage: 64, .badData: 65, .missingInput: 66, .diverged: 70,
      .outOfMemory: 71,
      .cannotCreate: 73, .inputOutput: 74, .abandoned: 75, .badConfiguration: 78, .hungUp: 128 + 1,
      .interrupted: 128 + 2,
      .terminated: 128 + 15,
    ]
    for status in Diagnostics.ExitStatus.allCases { #expect(status.rawValue == codes[status]) }
    #expect(
      Set(Diagnostics.ExitStatus.allCases.map(\.meaning)).count
        == Diagnostics.ExitStatus.allCases.count)
  }
}
