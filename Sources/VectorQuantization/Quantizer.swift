import Autograd
import NN
import Tensors

/// How the gradient passes the quantizer on its way from decoder to encoder. Both make the same step.
package enum StraightThrough: String, CaseIterable, Sendable {
  /// ``VectorQuantize``, a function that defines its own derivative.
  case function
  /// The expression `z + (e − z).detach()`.
  case detach
}

/// A codebook, and the way that vectors become codewords.
package struct Quantizer: Module {
  /// What moves the codewords.
  package enum Learning: Sendable {
    /// The gradient of the codebook loss `‖sg[z] − e‖²` (equation 3).
    case gradient
    /// Moving averages of the vectors that chose them (appendix A.1).
    case movingAverage(MovingAverage)
  }

  /// The codewords, `[K, D]`.
  package let codebook: Parameter
  package let learning: Learning
  package let straightThrough: StraightThrough
  package let distances: DistanceForm

  package init(
    _ name: String, codewords: Int, dimension: Int, start: Start, learning: Learning,
    straightThrough: StraightThrough, distances: DistanceForm = .addmm
  ) {
    let role: Parameter.Role =
      switch learning {
      case .gradient: .trained
      case .movingAverage: .buffer
      }
    codebook = Parameter("\(name).codebook", [codewords, dimension], start: start, role: role)
    self.learning = learning
    self.straightThrough = straightThrough
    self.distances = distances
  }

  package var codewords: Int { codebook.shape[0] }
  package var dimension: Int { codebook.shape[1] }

  package var parameters: [Parameter] {
    switch learning {
    case .gradient: [codebook]
    case .movingAverage(let average): [codebook] + average.parameters
    }
  }

  /// What quantizing some vectors in training gives.
  package struct Quantized {
    /// What the decoder gets: the codewords, up to rounding, with a gradient to the vectors.
    package let output: Variable
    package let codes: Codes
    /// `factor · Σ ‖sg[z] − e‖²`, with a gradient to the codebook alone; nil where averages move it.
    package let codebookLoss: Variable?
    /// `factor · Σ ‖z − sg[e]‖²`, with a gradient to the vectors alone.
    package let commitmentLoss: Variable
  }

  /// Quantizes vectors in training.
  ///
  /// - Parameters:
  ///   - z: the encoder's vectors, `[…, D]`.
  ///   - factor: of the sums of squares; 1 / elements of the whole batch makes them means.
  ///   - rows: how many of the leading vectors count; the others are padding.
  package func callAsFunction(_ z: Variable, factor: Float, rows: Int) -> Quantized {
    let codebook = z.tape.read(codebook)
    let codes = codebook.value.nearestCodes(to: z.value, by: distances)
    let e: Variable
    let output: Variable
    switch straightThrough {
    case .function:
      // Two calls, or the codebook loss would reach the encoder through the straight-through copy.
      e = vectorQuantize(z.detach(), codebook: codebook, codes: codes).output
      output = vectorQuantize(z, codebook: codebook.detach(), codes: codes).output
    case .detach:
      e = lookUp(codes, in: codebook)
      output = z + (e - z).detach()
    }
    let learnsByGradient = self.codebook.role == .trained
    return Quantized(
      output: output, codes: codes,
      codebookLoss: learnsByGradient
        ? squaredError(e, z.detach(), factor: factor, rows: rows) : nil,
      commitmentLoss: squaredError(z, e.detach(), factor: factor, rows: rows))
  }

  /// Quantizes vectors outside training: the codewords themselves, whatever ``straightThrough`` is,
  /// so that decoding saved codes gives the same bytes.
  package func codewords(nearestTo z: Variable) -> (codewords: Variable, codes: Codes) {
    let codebook = z.tape.read(codebook).detach()
    let codes = codebook.value.nearestCodes(to: z.value, by: distances)
    return (lookUp(codes, in: codebook), codes)
  }
}
