import Files
import Foundation
import Synchronization
import TerminalText
import TestSupport
import Testing

/// The program's output on terminals of several widths.
@Suite("Terminal", .timeLimit(.minutes(5)))
struct TerminalTests {
  static let narrow = [20, 33, 50, 80]

  @Test("lines fit, and neither numbers nor words are truncated", arguments: narrow + [200])
  func fits(columns: Int) throws {
    try withTemporaryFolder { folder in
      let run = "run-é-東京-🙂"
      let plain = try train(run, ["training.steps=3"], in: folder)
      try FileManager.default.removeItem(atPath: folder + "/" + run)
      let shown = try trainOnTerminal(run, ["training.steps=3"], columns: columns, in: folder)
      #expect(shown.status == 0)
      #expect(!shown.progress.isEmpty)
      for line in shown.progress {
        #expect(displayWidth(line) < columns, "\(line)")
        #expect(line.isEmpty || line.firstMatch(of: /^(step )?[123]\/3( |$)/) != nil, "\(line)")
        for codes in line.matches(of: /\d+\/\S*/).map(\.output) {
          #expect(
            codes.wholeMatch(of: /[123]\/3|\d+\/32|\d+\/s/) != nil, "\(line)")
        }
      }
      // The lines that stay are those that a file gets, with other line breaks.
      for line in shown.lines where line.contains(" ") {
        #expect(displayWidth(line) <= columns || !line.drop { $0 == " " }.contains(" "), "\(line)")
      }
      func words(_ lines: [String]) -> [String] {
        lines.flatMap { $0.split(separator: " ").map(String.init) }
      }
      let lasting = plain.errors.split(separator: "\n").map(String.init)
        .filter { !$0.contains("ETA") }
      #expect(words(shown.lines) == words(lasting))
      if columns == 200 { #expect(shown.lines == lasting) }
    }
  }

  @Test("the command to be copied is on one line", arguments: narrow)
  func command(columns: Int) throws {
    try withTemporaryFolder { folder in
      let run = "a run with a name that is longer than the terminal is wide"
      let shown = try trainOnTerminal(
        run, ["training.steps=1000000"], columns: columns, in: folder
      ) { process, terminal in
        try waitForSteps(terminal)
        process.terminate()
      }
      #expect(shown.status == 143)
      #expect(
        shown.lines.last == "  \(programPath) train --run '\(run)' --resume", "\(shown.lines)")
    }
  }

  @Test("lines follow the current width of the window")
  func resized() throws {
    try withTemporaryFolder { folder in
      let shown = try trainOnTerminal(
        "run", ["training.steps=1000000", "training.validate_every=1000000"], columns: 200,
        in: folder
      ) { process, terminal in
        try waitForSteps(terminal)
        terminal.resize(columns: 30)
        terminal.forget()
        // The first line may have been laid out for the earlier width.
        for _ in 0..<3 { try waitForSteps(terminal) }
        process.terminate()
      }
      let steps = shown.progress.filter { $0.contains("/1000000") }
      #expect(steps.count > 2)
      for line in steps.dropFirst(2) { #expect(displayWidth(line) < 30, "\(line)") }
    }
  }

  private func waitForSteps(_ terminal: PseudoTerminal) throws {
    let start = terminal.text.utf8.count
    let deadline = ContinuousClock.now + .seconds(60)
    while ContinuousClock.now < deadline {
      if terminal.text.utf8.dropFirst(start).contains(0x1B),
        terminal.text.contains("/1000000")
      {
        return
      }
      usleep(5000)
    }
    Issue.record("no step was shown: \(terminal.text.debugDescription)")
  }

  private struct Shown {
    let status: Int32
    /// The states of the line that is rewritten.
    let progress: [String]
    /// The lines that stay.
    let lines: [String]
  }

  private func trainOnTerminal(
    _ run: String, _ sets: [String], columns: Int, in folder: String,
    whileRunning: (Process, PseudoTerminal) throws -> Void = { _, _ in }
  ) throws -> Shown {
    let terminal = try PseudoTerminal(columns: columns)
    let process = Process()
    process.executableURL = URL(fileURLWithPath: programPath)
    process.arguments =
      ["train", "--config", smokeConfiguration, "--run", run, "--threads", "1"]
      + (["model.hidden=8", "data.images=128"] + sets).flatMap { ["--set", $0] }
    process.currentDirectoryURL = URL(fileURLWithPath: folder)
    process.environment = ProcessInfo.processInfo.environment.merging(["TERM": "xterm"]) { $1 }
    process.standardError = terminal.programsEnd
    process.standardOutput = FileHandle.nullDevice
    process.standardInput = FileHandle.nullDevice
    try start(process)
    try whileRunning(process, terminal)
    process.waitUntilExit()
    let text = terminal.finish()
    var progress: [String] = []
    var lines: [String] = []
    for line in text.replacing("\r\n", with: "\n").split(
      separator: "\n", omittingEmptySubsequences: false)
    {
      let states = String(line).split(separator: "\r\u{1B}[K", omittingEmptySubsequences: false)
        .map(String.init)
      // The text after the last erasure stays. If it is a progress line, it counts as progress.
      progress += states.dropFirst().dropLast()
      let last = states.last ?? ""
      if last.contains("/s ") || last.firstMatch(of: /^\d+\/\d+( |$)/) != nil {
        progress.append(last)
      } else if !last.isEmpty {
        lines.append(last)
      }
    }
    return Shown(
      status: process.terminationReason == .exit
        ? process.terminationStatus : 128 + process.terminationStatus,
      progress: progress, lines: lines)
  }
}

/// A terminal whose other end is read by the test.
private final class PseudoTerminal: Sendable {
  private let master: Int32
  private let slave: Int32
  private let bytes = Mutex<[UInt8]>([])
  private let done = Mutex(false)

  init(columns: Int) throws {
    // The steps of openpty; Swift's Glibc has neither it nor these two constants of Linux.
    let (lock, getNumber) = (UInt(0x4004_5431), UInt(0x8004_5430))
    master = open("/dev/ptmx", O_RDWR | O_NOCTTY | O_CLOEXEC)
    var (unlocked, number) = (Int32(0), Int32(0))
    try #require(
      master >= 0 && ioctl(master, lock, &unlocked) == 0 && ioctl(master, getNumber, &number) == 0)
    slave = open("/dev/pts/\(number)", O_RDWR | O_NOCTTY | O_CLOEXEC)
    try #require(slave >= 0)
    resize(columns: columns)
    Thread.detachNewThread { [self] in
      var buffer = [UInt8](repeating: 0, count: 4096)
      while true {
        let count = read(master, &buffer, buffer.count)
        if count <= 0 { break }
        bytes.withLock { $0 += buffer[..<count] }
      }
      done.withLock { $0 = true }
    }
  }

  var programsEnd: FileHandle { FileHandle(fileDescriptor: slave, closeOnDealloc: false) }

  var text: String { bytes.withLock { String(decoding: $0, as: UTF8.self) } }

  func forget() { bytes.withLock { $0 = [] } }

  func resize(columns: Int) {
    var size = winsize(ws_row: 24, ws_col: UInt16(columns), ws_xpixel: 0, ws_ypixel: 0)
    _ = ioctl(slave, UInt(TIOCSWINSZ), &size)
  }

  /// Everything that was written, once the program has ended.
  func finish() -> String {
    close(slave)
    while !done.withLock({ $0 }) { usleep(1000) }
    close(master)
    return text
  }
}
