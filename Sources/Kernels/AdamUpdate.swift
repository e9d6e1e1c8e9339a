import KernelTypes

/// One step of AdamW (Loshchilov and Hutter 2019, algorithm 2) on a block of parameters; with λ = 0, of
/// Adam (Kingma and Ba 2015, algorithm 1).
///
///     g ← scale · gradient
///     m ← β₁·m + (1 − β₁)·g
///     v ← β₂·v + (1 − β₂)·g²
///     parameter ← parameter − learningRate · (λ·parameter + (m / (1 − β₁ᵗ)) / (√(v / (1 − β₂ᵗ)) + ε))
///
/// The decay is a term of its own, and not `(1 − learningRate·λ) · parameter`: where learningRate·λ is
/// 1e-5 that factor, rounded to Float, takes 0.14 % too much from every parameter, and 1.3 % at 1e-6.
package struct AdamUpdate {
  let learningRate: Float
  /// `learningRate · λ`, rounded once.
  let decay: Float
  let scale: Float
  let beta1: Float
  let beta2: Float
  /// `1 − β₁` and `1 − β₂`, rounded once: in Float, `1 − 0.999` is off by 1e-5.
  let newWeight1: Float
  let newWeight2: Float
  let epsilon: Float
  /// `1 / (1 − β₁ᵗ)`.
  let firstCorrection: Float
  /// `1 / √(1 − β₂ᵗ)`.
  let secondCorrection: Float

  /// - Parameters:
  ///   - weightDecay: λ.
  ///   - gradientScale: a factor that the gradients are multiplied by first.
  ///   - step: t, 1 for the first update.
  package init(
    learningRate: Double, beta1: Double, beta2: Double, epsilon: Double, weightDecay: Double,
    gradientScale: Double, step: Int
  ) {
    self.learningRate = Float(learningRate)
    decay = Float(learningRate * weightDecay)
    scale = Float(gradientScale)
    self.beta1 = Float(beta1)
    self.beta2 = Float(beta2)
    newWeight1 = Float(1 - beta1)
    newWeight2 = Float(1 - beta2)
    self.epsilon = Float(epsilon)
    firstCorrection = Float(1 / (1 - power(beta1, step)))
    secondCorrection = Float(1 / (1 - power(beta2, step)).squareRoot())
  }

  /// Updates `parameters` and both moments in place; all are `[count]`.
  package func callAsFunction(
    parameters: UnsafeMutablePointer<Float>, gradients: UnsafePointer<Float>,
    firstMoment: UnsafeMutablePointer<Float>, secondMoment: UnsafeMutablePointer<Float>, count: Int
  ) {
    let rate = learningRate * firstCorrection
    var i = 0
    while i &+ 16 <= count {
      let g = scale * Lanes(loading: gradients + i)
      let m = beta1 * Lanes(loading: firstMoment + i) + newWeight1 * g
      let v = beta2 * Lanes(loading: secondMoment + i) + newWeight2 * (g * g)
      m.store(firstMoment + i)
      v.store(secondMoment + i)
      let change = rate * m / (v.squareRoot() * secondCorrection + epsilon)
      let parameter = Lanes(loading: parameters + i)
      (parameter - (decay * parameter + change)).store(parameters + i)
      i &+= 16
    }
    while i < count {
      let g = scale * gradients[i]
      let m = beta1 * firstMoment[i] + newWeight1 * g
      let v = beta2 * secondMoment[i] + newWeight2 * (g * g)
      firstMoment[i] = m
      secondMoment[i] = v
      let change = rate * m / (v.squareRoot() * secondCorrection + epsilon)
      parameters[i] -= decay * parameters[i] + change
      i &+= 1
    }
  }
}
