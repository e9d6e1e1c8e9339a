import Diagnostics
import Files
import Glibc
import Testing
import Training

@Suite("Stop signals")
struct StopSignalTests {
  @Test(
    "the first signal decides the exit code",
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

  @Test("a second one at once is a repetition; a terminal that closes never makes it urgent")
  func repetition() {
    let stop = StopSignal()
    #expect(stop.receive(SIGTERM, at: 1000) == .stop)
    #expect(stop.receive(SIGTERM, at: 1000) == .repeated)
    #expect(stop.receive(SIGTERM, at: 1000 + StopSignal.repetitionMilliseconds - 1) == .repeated)
    #expect(stop.receive(SIGHUP, at: 100_000) == .repeated)
    #expect(stop.receive(SIGINT, at: 1001) == .leave)
    #expect(stop.receive(SIGTERM, at: 1000 + StopSignal.repetitionMilliseconds) == .leave)
  }

  @Test("SIGUSR1 asks for a save, once each, and stops nothing")
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
