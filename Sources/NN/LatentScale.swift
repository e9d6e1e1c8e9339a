/// How large the encoder's vectors of a latent are beside the codewords chosen for them, and how far they are
/// from them: sums over a shard, and by addition over a batch.
///
/// The ratio tells two states apart that look alike in the losses: at 1, codewords lie where the vectors are.
/// Far above 1, they have yet to follow, as at the start of most runs, or cannot follow.
package struct LatentScale: Sendable, Equatable {
  /// The latent.
  package let name: String
  /// The commitment loss of this latent alone, before it is weighted, or nil if the quantizer does not
  /// have that term.
  package private(set) var commitment: Double?
  /// Sums of squares of the vectors, Σ‖z‖², and of the codewords chosen for them, Σ‖e‖²; nil without a
  /// codebook.
  private var squares: (vectors: Double, codewords: Double)?

  /// Ratios above this are reported as this, since JSON has no infinity: all chosen codewords may be zero.
  package static let largestRatio = 1e6

  /// - Parameters:
  ///   - commitment: the shard's share.
  ///   - squares: the shard's sums.
  package init(
    _ name: String, commitment: Double?, squares: (vectors: Double, codewords: Double)?
  ) {
    self.name = name
    self.commitment = commitment
    self.squares = squares
  }

  /// The root mean square of the vectors over that of the codewords chosen for them, or nil without a
  /// codebook: `√(Σ‖z‖² / Σ‖e‖²)`, at most ``largestRatio``; 1 if all are zero.
  package var ratio: Double? {
    squares.map { vectors, codewords in
      guard codewords > 0 else { return vectors > 0 ? Self.largestRatio : 1 }
      return min((vectors / codewords).squareRoot(), Self.largestRatio)
    }
  }

  package static func += (a: inout LatentScale, b: LatentScale) {
    precondition(a.name == b.name, "scales of two latents")
    if let x = a.commitment, let y = b.commitment { a.commitment = x + y }
    if let x = a.squares, let y = b.squares {
      a.squares = (x.vectors + y.vectors, x.codewords + y.codewords)
    }
  }

  package static func == (a: LatentScale, b: LatentScale) -> Bool {
    a.name == b.name && a.commitment == b.commitment
      && a.squares?.vectors == b.squares?.vectors && a.squares?.codewords == b.squares?.codewords
  }
}
