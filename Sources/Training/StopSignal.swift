import Dispatch
import Files
import Glibc
import Synchronization

/// SIGINT and SIGTERM as a wish to stop.
///
/// The first signal is remembered until the program asks for it; a second one ends the process at once.
package final class StopSignal: Sendable {
  /// The signal that came; 0 before one did.
  private let received = Atomic<Int32>(0)

  package init() {}

  /// The status to leave with once a signal has come; nil before.
  package var status: ExitStatus? {
    switch received.load(ordering: .acquiring) {
    case SIGINT: .interrupted
    case SIGTERM: .terminated
    default: nil
    }
  }

  package var isRaised: Bool { status != nil }

  /// Notes a signal; false where one has come before.
  package func raise(_ number: Int32) -> Bool {
    received.compareExchange(expected: 0, desired: number, ordering: .acquiringAndReleasing)
      .exchanged
  }

  /// Takes over both signals until the process ends.
  ///
  /// - Parameter announce: called after the first signal, on a queue of its own.
  package func listen(announce: @escaping @Sendable () -> Void) {
    for number in [SIGINT, SIGTERM] {
      Glibc.signal(number, SIG_IGN)
      let source = DispatchSource.makeSignalSource(signal: number, queue: .global())
      source.setEventHandler { [self] in
        // The source lives as long as its handler refers to it: until the process ends.
        _ = source
        guard raise(number) else { _exit(128 + number) }
        announce()
      }
      source.activate()
    }
  }
}
