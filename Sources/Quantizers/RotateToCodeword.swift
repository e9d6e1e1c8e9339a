import Autograd
import Tensors

/// The rotation trick (Fifty et al. 2024, "Restructuring Vector Quantization with the Rotation Trick", section
/// 4): the output is the codeword, and the gradient is turned and scaled as the vector was turned and scaled
/// into it.
///
///     output = λ·R·z = e       λ = ‖e‖ / ‖z‖       R = I − 2·r·rᵀ + 2·ê·ẑᵀ
///     r = (ẑ + ê) / ‖ẑ + ê‖    ∂L/∂z = λ·Rᵀ·g = λ·(g − 2·r·(r·g) + 2·ẑ·(ê·g))
///
/// λ and R count as constants. ẑ and ê are z and e divided by their lengths.
///
/// Two cases have no such rotation. If z or e is shorter than 1e-6, it has no direction, and the gradient
/// passes unchanged, as in ``VectorQuantize``. If they point in opposite directions, any plane would do; then
/// R is the reflection `I − 2·ẑ·ẑᵀ`, which also takes z to e.
///
/// Inputs: vectors and their codewords, both `[…, D]`; the codewords get no gradient.
package enum RotateToCodeword: Function {
  package struct Saved {
    let vectors: Tensor
    let codewords: Tensor
  }

  /// A vector shorter than this has no direction.
  private static let shortest = 1e-6

  package static func forward(
    _ inputs: Inputs<Tensor>, _: Void, _ context: inout Context<Self>
  ) -> Tensor {
    context.save(Saved(vectors: inputs[0], codewords: inputs[1]))
    return inputs[1]
  }

  package static func backward(
    _ gradient: consuming Tensor, _: Void, _ context: Context<Self>
  ) -> [Tensor?] {
    let (vectors, codewords) = (context.saved.vectors, context.saved.codewords)
    let (rows, width) = (vectors.shape.rows, vectors.shape.width)
    var gradient = gradient
    gradient.withUnsafeMutablePointer { gradient in
      vectors.withUnsafePointer { vectors in
        codewords.withUnsafePointer { codewords in
          for row in 0..<rows {
            let offset = row * width
            turnBack(gradient + offset, vectors + offset, codewords + offset, width: width)
          }
        }
      }
    }
    return [gradient, nil]
  }

  /// Replaces the gradient g of one codeword by `λ·Rᵀ·g`.
  private static func turnBack(
    _ g: UnsafeMutablePointer<Float>, _ z: UnsafePointer<Float>, _ e: UnsafePointer<Float>,
    width: Int
  ) {
    var (zz, ee, ze, zg, eg) = (0.0, 0.0, 0.0, 0.0, 0.0)
    for i in 0..<width {
      let (z, e, g) = (Double(z[i]), Double(e[i]), Double(g[i]))
      zz += z * z
      ee += e * e
      ze += z * e
      zg += z * g
      eg += e * g
    }
    let (zLength, eLength) = (zz.squareRoot(), ee.squareRoot())
    guard zLength > shortest, eLength > shortest else { return }
    let scale = eLength / zLength
    // With lengths 1: ẑ·g, ê·g, and ‖ẑ + ê‖² = 2 + 2·ẑ·ê.
    let (z1g, e1g) = (zg / zLength, eg / eLength)
    let square = 2 + 2 * ze / (zLength * eLength)
    // λ·(g + a·ẑ + b·ê)
    let (a, b): (Double, Double)
    if square > 1e-12 {
      let along = 2 * (z1g + e1g) / square
      (a, b) = (2 * e1g - along, -along)
    } else {
      (a, b) = (-2 * z1g, 0)
    }
    let (toZ, toE) = (a / zLength, b / eLength)
    for i in 0..<width {
      g[i] = Float(scale * (Double(g[i]) + toZ * Double(z[i]) + toE * Double(e[i])))
    }
  }
}
