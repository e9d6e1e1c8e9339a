import Runtime
import Tensors

/// The speed of OpenBLAS's matrix products on this machine, the reference for all other speeds: large square products,
/// on one thread and on all threads of a pool at once. (BLAS uses one thread per call under our pool.)
struct ProductPeak {
  /// 16 MB per matrix: too large for L2, so the figure measures blocking.
  static let order = 2048
  /// Products of each kind in a round.
  static let repetitions = 3

  private let a = randomTensor([order, order], "a")
  private let b = randomTensor([order, order], "b")
  private let pool: WorkerPool
  /// GFLOP/s of each product on one thread, and of each set of simultaneous products on all threads.
  private(set) var oneThread: [Double] = []
  private(set) var allThreads: [Double] = []

  init(pool: WorkerPool) { self.pool = pool }

  /// Measures a few products of each kind.
  ///
  /// Calling it several times, with other measurements in between, shows how steady the machine is.
  mutating func measure() {
    let (a, b, threads) = (a, b, pool.threads)
    let gigaflop = 2 * Double(Self.order) * Double(Self.order) * Double(Self.order) * 1e-9
    // The first products touch fresh memory.
    pool.forEach(count: threads) { _ in _ = a.matrixProduct(b, by: .openblas) }
    for _ in 0..<Self.repetitions {
      oneThread.append(gigaflop / Timing.seconds { _ = a.matrixProduct(b, by: .openblas) })
      allThreads.append(
        gigaflop * Double(threads)
          / Timing.seconds {
            pool.forEach(count: threads) { _ in _ = a.matrixProduct(b, by: .openblas) }
          })
    }
  }
}
