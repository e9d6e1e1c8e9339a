import Diagnostics
import Files
import Glibc
import Synchronization

/// SIGINT, SIGTERM and SIGHUP as requests to stop after the current step, and SIGUSR1 as a request to save
/// and continue (Slurm can send it before a job's time limit).
///
/// The handlers only set flags and write a line, which is safe in a signal handler. They need no thread,
/// queue or memory, so signals also work if the system refuses these.
package final class StopSignal: Sendable {
  /// The signal that was received, or 0.
  private let received = Atomic<Int32>(0)
  /// The time at which it was received, in milliseconds.
  private let receivedAt = Atomic<Int64>(0)
  private let isSaveRequested = Atomic(false)

  package init() {}

  /// The exit status, once a signal has been received; otherwise nil.
  package var status: ExitStatus? {
    switch received.load(ordering: .acquiring) {
    case SIGINT: .interrupted
    case SIGTERM: .terminated
    case SIGHUP: .hungUp
    default: nil
    }
  }

  package var isRaised: Bool { status != nil }

  /// Whether a save was requested since the last call.
  package func takeSaveRequest() -> Bool {
    isSaveRequested.exchange(false, ordering: .acquiringAndReleasing)
  }

  /// What a signal means.
  package enum Meaning: Equatable {
    /// Stop after the step.
    case stop
    /// Save and continue.
    case save
    /// A repetition of the same request.
    case repeated
    /// Exit immediately.
    case leave
  }

  /// How long after a signal the same signal counts as its repetition: `timeout` and batch systems signal a
  /// process and then its group, and so the process twice.
  package static let repetitionMilliseconds: Int64 = 300

  /// Records a signal.
  ///
  /// - Parameter time: of a monotonic clock, in milliseconds.
  package func receive(_ number: Int32, at time: Int64) -> Meaning {
    if number == SIGUSR1 {
      isSaveRequested.store(true, ordering: .releasing)
      return .save
    }
    let isFirst = received.compareExchange(
      expected: 0, desired: number, ordering: .acquiringAndReleasing
    ).exchanged
    if isFirst {
      receivedAt.store(time, ordering: .releasing)
      return .stop
    }
    let isRepetition =
      number == received.load(ordering: .acquiring)
      && time - receivedAt.load(ordering: .acquiring) < Self.repetitionMilliseconds
    // After SIGINT or SIGTERM, the SIGHUP of a closing terminal requests nothing new.
    return isRepetition || number == SIGHUP ? .repeated : .leave
  }

  // MARK: Handlers

  private static let numbers = [SIGINT, SIGTERM, SIGHUP, SIGUSR1]

  /// Unblocks the signals. A process inherits the signal mask of its parent, which may block them.
  ///
  /// Until ``listen(_:)``, SIGINT, SIGTERM and SIGHUP end the process, and SIGUSR1 does nothing: there is
  /// nothing to save yet.
  package static func prepare() {
    signal(SIGUSR1, SIG_IGN)
    var set = sigset_t()
    sigemptyset(&set)
    for number in numbers { sigaddset(&set, number) }
    pthread_sigmask(SIG_UNBLOCK, &set, nil)
  }

  /// What the handlers write.
  package struct Words: Sendable {
    package let stopping: String
    package let leaving: String

    package init(stopping: String, leaving: String) {
      self.stopping = stopping
      self.leaving = leaving
    }
  }

  /// Installs the handlers until the process ends.
  ///
  /// SIGHUP and SIGINT stay ignored if they were ignored when the process started, as with `nohup` and shells
  /// without job control.
  package func listen(_ words: Words) {
    Self.stopping = Self.permanent(words.stopping)
    Self.leaving = Self.permanent(words.leaving)
    Self.listener = Unmanaged.passRetained(self)
    for number in Self.numbers {
      var old = sigaction()
      sigaction(number, nil, &old)
      let isIgnored = unsafeBitCast(old.__sigaction_handler.sa_handler, to: Int.self) == 1
      if isIgnored, number == SIGINT || number == SIGHUP { continue }
      var new = sigaction()
      new.__sigaction_handler.sa_handler = { StopSignal.handle($0) }
      new.sa_flags = SA_RESTART
      sigaction(number, &new, nil)
    }
  }

  // Written before the first handler is installed, and never after that.
  nonisolated(unsafe) private static var listener: Unmanaged<StopSignal>?
  nonisolated(unsafe) private static var stopping: UnsafeRawBufferPointer?
  nonisolated(unsafe) private static var leaving: UnsafeRawBufferPointer?

  private static func handle(_ number: Int32) {
    let error = errno
    defer { errno = error }
    var now = timespec()
    clock_gettime(CLOCK_MONOTONIC, &now)
    let time = Int64(now.tv_sec) * 1000 + Int64(now.tv_nsec) / 1_000_000
    switch listener?._withUnsafeGuaranteedRef({ $0.receive(number, at: time) }) {
    case .stop: say(stopping)
    case .leave:
      say(leaving)
      _exit(ExitStatus.abandoned.rawValue)
    case .save, .repeated, nil: break
    }
  }

  private static func say(_ words: UnsafeRawBufferPointer?) {
    if let words { _ = write(STDERR_FILENO, words.baseAddress, words.count) }
  }

  /// A copy that is never freed.
  private static func permanent(_ text: String) -> UnsafeRawBufferPointer {
    let bytes = Array(text.utf8)
    let copy = UnsafeMutableRawBufferPointer.allocate(byteCount: bytes.count, alignment: 1)
    copy.copyBytes(from: bytes)
    return UnsafeRawBufferPointer(copy)
  }
}
