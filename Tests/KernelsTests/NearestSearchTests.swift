import BLAS
import Kernels
import Tensors
import TestSupport
import Testing

/// Vectors and codewords around a centre, as an encoder without normalization can produce them.
private struct Cloud {
  let vectors: Tensor
  let codebook: Tensor
  /// `Σ (z − e)²` in double precision, `[vectors][codewords]`.
  let exact: [[Double]]
  /// `‖z‖² + ‖e‖² − 2·z·e` in Float, as `addmm` computes it.
  let products: [[Double]]
  /// The largest `‖z‖²` and the largest `‖e‖²`.
  let norms: (z: Double, e: Double)

  private static let width = 64

  /// - Parameter distance: the norm of the centre; vectors and codewords are about 1 away from the centre.
  init(distance: Float) {
    var generator = SeededGenerator(test: 10)
    let standardDeviation = 1 / Float(Self.width).squareRoot()
    let centre = (0..<Self.width).map { _ in distance * standardDeviation * generator.normal() }
    func rows(_ count: Int) -> Tensor {
      Tensor(
        [count, Self.width],
        (0..<count).flatMap { _ in
          centre.map { $0 + standardDeviation * generator.normal() }
        })
    }
    (vectors, codebook) = (rows(500), rows(256))
    exact = Self.exactDistances(vectors, codebook)
    products = Self.rows(codebook.squaredDistances(to: vectors))
    norms = (Self.largestNorm(vectors), Self.largestNorm(codebook))
  }

  private static func rows(_ tensor: Tensor) -> [[Double]] {
    (0..<tensor.shape.rows).map { n in
      tensor.elements[(n * tensor.shape.width)..<((n + 1) * tensor.shape.width)].map(Double.init)
    }
  }

  private static func exactDistances(_ vectors: Tensor, _ codebook: Tensor) -> [[Double]] {
    let codewords = rows(codebook)
    return rows(vectors).map { z in
      codewords.map { e in zip(z, e).reduce(0) { $0 + ($1.0 - $1.1) * ($1.0 - $1.1) } }
    }
  }

  private static func largestNorm(_ tensor: Tensor) -> Double {
    rows(tensor).map { $0.reduce(0) { $0 + $1 * $1 } }.max() ?? 0
  }

  static func argmin(_ distances: [Double]) -> Int {
    distances.indices.min { distances[$0] < distances[$1] } ?? -1
  }

  /// A bound on the error of a distance by products: the rounding of D products, their sum and two norms.
  var bound: Double {
    Double(Self.width + 3) * 0x1p-23 * (norms.z + norms.e + 2 * (norms.z * norms.e).squareRoot())
  }

  /// The largest error of a distance by products, divided by the largest squared norm.
  var largestError: Double {
    zip(products, exact).map { zip($0, $1).map { abs($0 - $1) }.max() ?? 0 }.max()! / norms.z
  }

  /// One element for each vector whose code by products is wrong. The excess is the ratio of its distance
  /// from the chosen codeword to that from the nearest one, minus 1; the gap is the difference of their
  /// squares.
  var changed: [(excess: Double, gap: Double)] {
    zip(products, exact).compactMap { products, exact in
      let (chosen, nearest) = (exact[Self.argmin(products)], exact[Self.argmin(exact)])
      return chosen == nearest
        ? nil : ((chosen / nearest).squareRoot() - 1, chosen - nearest)
    }
  }
}

/// The squared distance as `‖z‖² + ‖e‖² − 2·z·e` cancels if the norms are large. These tests show when its
/// argmin differs from that of `Σ (z − e)²`, by how much, and that neither of our settings is affected.
@Suite("Distances by products and by the definition") struct NearestSearchTests {
  init() { BLAS.useOneThread() }

  /// Measured with OpenBLAS's Haswell kernels: shares of 0, 0.018, 0.85 and 1; the largest
  /// excess 0.0013, 0.29 and 0.58. Other kernels sum in another order, so the bounds are wide.
  @Test(
    "the farther from zero, the more codes the products in Float change",
    arguments: [(1, 0, 0), (100, 0.002, 1e-4), (1000, 0.3, 0.05), (10_000, 0.9, 0.2)]
      as [(Float, Double, Double)])
  func cancellation(_ distance: Float, _ leastShare: Double, _ leastExcess: Double) {
    let cloud = Cloud(distance: distance)
    let changed = cloud.changed
    let share = Double(changed.count) / Double(cloud.exact.count)
    let excess = changed.map(\.excess).max() ?? 0
    if distance == 1 {
      #expect(changed.isEmpty)
    } else {
      #expect(share >= leastShare && excess >= leastExcess, "\(share) by up to \(excess)")
    }
    // Codes differ only if the two distances are closer than the form can resolve.
    #expect(changed.allSatisfy { $0.gap <= 2 * cloud.bound })
    // Relative to ‖z‖² the error has the same size for all; the distance becomes small beside it.
    #expect((0x1p-24...0x1p-18).contains(cloud.largestError))

    let nearest = cloud.exact.map { Int32(Cloud.argmin($0)) }
    for form in NearestSearch.allCases {
      #expect(cloud.codebook.nearestCodes(to: cloud.vectors, by: form).indices == nearest)
    }
  }

  /// scripts/goldens/near_ties.py asserts that `torch.cdist` in single precision has other codes.
  @Test("near-ties get the codes of PyTorch in double precision", arguments: NearestSearch.allCases)
  func pyTorch(form: NearestSearch) throws {
    let golden = try Golden("training")
    let codes = try golden("ties.codes").elements.map { Int32($0) }
    let vectors = try golden("ties.vectors")
    #expect(try golden("ties.codebook").nearestCodes(to: vectors, by: form).indices == codes)
  }
}
