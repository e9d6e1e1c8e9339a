import Files
import Foundation

/// The exit status and output of a run of the program.
package struct ProgramResult {
  package let status: Int32
  package let output: String
  package let errors: String
}

/// The executable `vqvae` beside the test bundle, or else that of the release build.
package let programPath: String = {
  let bundle = (try? FileManager.default.destinationOfSymbolicLink(atPath: "/proc/self/exe")) ?? ""
  let candidates = [
    URL(fileURLWithPath: bundle).deletingLastPathComponent().appendingPathComponent("vqvae").path,
    packageFolder + "/.build/release/vqvae",
  ]
  return candidates.first { (try? fileExists($0)) == true } ?? candidates[0]
}()

/// Starts a process with no signals blocked, as a shell does. Otherwise it would inherit the signal mask of
/// the calling thread, and threads that run tests block most signals.
package func start(_ process: Process) throws {
  var (none, old) = (sigset_t(), sigset_t())
  sigemptyset(&none)
  pthread_sigmask(SIG_SETMASK, &none, &old)
  defer { pthread_sigmask(SIG_SETMASK, &old, nil) }
  try process.run()
}

/// Runs `vqvae` in a folder and waits until it exits. The status of a process killed by a signal is 128 plus
/// the signal's number, as in a shell.
///
/// - Parameters:
///   - shell: a bash script that runs `"$@"`, the program with its arguments; its result is returned. By
///     default the program is run directly.
///   - whileRunning: called once, after the process has started.
package func runProgram(
  _ arguments: [String], in folder: String, environment: [String: String] = [:],
  shell: String? = nil, whileRunning: (Process) throws -> Void = { _ in }
) throws -> ProgramResult {
  let process = Process()
  process.executableURL = URL(fileURLWithPath: shell == nil ? programPath : "/bin/bash")
  process.arguments =
    (shell.map { ["-c", $0, "bash", programPath] } ?? []) + arguments
  process.currentDirectoryURL = URL(fileURLWithPath: folder)
  process.environment = ProcessInfo.processInfo.environment.merging(environment) { $1 }
  // Files instead of pipes, because a full pipe would block the program.
  let (output, errors) = (folder + "/.stdout", folder + "/.stderr")
  for path in [output, errors] { _ = FileManager.default.createFile(atPath: path, contents: nil) }
  process.standardOutput = FileHandle(forWritingAtPath: output)
  process.standardError = FileHandle(forWritingAtPath: errors)
  process.standardInput = FileHandle.nullDevice
  try start(process)
  try whileRunning(process)
  process.waitUntilExit()
  let status =
    process.terminationReason == .exit ? process.terminationStatus : 128 + process.terminationStatus
  defer { for path in [output, errors] { try? FileManager.default.removeItem(atPath: path) } }
  return ProgramResult(
    status: status, output: try readText(output, limit: 1 << 24),
    errors: try readText(errors, limit: 1 << 24))
}
