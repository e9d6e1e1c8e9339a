import KernelTypes

extension Module {
  /// Updates `parameters` and both moments in place; all are `[count]`.
  package static func update(
    _ parameters: UnsafeMutablePointer<Float>, by update: AdamUpdate,
    gradients: UnsafePointer<Float>,
    firstMoment: UnsafeMutablePointer<Float>, secondMoment: UnsafeMutablePointer<Float>, count: Int
  ) {
    let rate = update.learningRate * update.firstCorrection
    let (scale, decay) = (update.scale, update.decay)
    let (beta1, beta2) = (update.beta1, update.beta2)
    let (newWeight1, newWeight2) = (update.newWeight1, update.newWeight2)
    let (epsilon, secondCorrection) = (update.epsilon, update.secondCorrection)
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
