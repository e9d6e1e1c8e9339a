import Diagnostics
import Files
import Glibc
import Testing
import Training

@Suite("Stop signals")
struct StopSignalTests {
  @Test(
    "the first signal determines the exit code",
    arguments: [
      (SIGINT, Diagnostics.ExitStatus.interrupted), (SIGTERM, .terminated), (SIGHUP, .hungUp),
    ])
  func first(number: Int32, status: Diagnostics.ExitStatus) {
    let stop = StopSignal()
    #expect(!stop.isRaised)
    #expect(stop.receive(number, at: 0) == .stop)
    #expect(stop.status == status)
    #expect(stop.receive(number == SIGINT ? SIGTERM : SIGINT, at: 10_000) == .leave)
    #expect(stop.status == status)
  }

  @Test(
    "the same signal at once is a repetition, and SIGHUP after another signal never ends the process"
  )
  func repetition() {
    let stop = StopSignal()
    #expect(stop.receive(SIGTERM, at: 1000) == .stop)
    #expect(stop.receive(SIGTERM, at: 1000) == .repeated)
    #expect(stop.receive(SIGTERM, at: 1000 + StopSignal.repetitionMilliseconds - 1) == .repeated)
    #expect(stop.receive(SIGHUP, at: 100_000) == .repeated)
    #expect(stop.receive(SIGINT, at: 1001) == .leave)
    #expect(stop.receive(SIGTERM, at: 1000 + StopSignal.repetitionMilliseconds) == .leave)
  }

  @Test("each SIGUSR1 requests one save and does not stop the run")
  func save() {
    let stop = StopSignal()
    #expect(!stop.takeSaveRequest())
    #expect(stop.receive(SIGUSR1, at: 0) == .save)
    #expect(stop.receive(SIGUSR1, at: 0) == .save)
    #expect(!stop.isRaised)
    #expect(stop.takeSaveRequest())
    #expect(!stop.takeSaveRequest())
  }
}
