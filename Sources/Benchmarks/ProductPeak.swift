import Runtime
import Tensors

/// How fast this machine multiplies matrices, the yardstick for everything else: large square products,
/// on one thread and on all threads of a pool at once. (Our pool leaves BLAS one thread a call.)
struct ProductPeak {
  /// 16 MB for each matrix: too large for a near cache, so the figure measures blocking.
  static let order = 2048
  /// Products of each kind in a round.
  static let repetitions = 3

  private let a = randomTensor([order, order], "a")
  private let b = randomTensor([order, order], "b")
  private let pool: WorkerPool
  /// GFLOP/s of each product and of each round of products.
  private(set) var oneThread: [Double] = []
  private(set) var allThreads: [Double] = []

  init(pool: WorkerPool) { self.pool = pool }

  /// Measures a few products of each kind.
  ///
  /// Called several times with other measurements between, it shows how steady the machine is.
  mutating func measure() {
    let (a, b, threads) = (a, b, pool.threads)
    let gigaflop = 2 * Double(Self.order) * Double(Self.order) * Double(Self.order) * 1e-9
    // The first products touch fresh memory.
    pool.forEach(count: threads) { _ in _ = a.matrixProduct(b) }
    for _ in 0..<Self.repetitions {
      oneThread.append(gigaflop / Timing.seconds { _ = a.matrixProduct(b) })
      allThreads.append(
        gigaflop * Double(threads)
          / Timing.seconds { pool.forEach(count: threads) { _ in _ = a.matrixProduct(b) } })
    }
  }
}
