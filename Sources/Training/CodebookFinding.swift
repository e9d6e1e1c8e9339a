/// A bad state of a codebook or of the vectors of a latent. ``CodebookWatch`` says from which thresholds and
/// durations on.
package struct CodebookFinding: Sendable, Equatable {
  /// The raw values are the words in `metrics.jsonl`.
  package enum Name: String, CaseIterable, Sendable {
    /// The codes carry next to nothing.
    case collapsed
    /// The vectors are far from all codewords.
    case explodingCommitment
    /// More than half of the codewords are not chosen, and it stays so.
    case deadHalf
  }

  package let name: Name
  /// The codebook or latent; nil if it is the only one.
  package let subject: String?
  /// The first step of the state.
  package internal(set) var since: Int
  /// Its last step, or nil if it lasts.
  package internal(set) var end: Int?
  /// What was measured in the last step or validation of the state, such as `1 of 256 codes`.
  package internal(set) var figure: String

  private var codebook: String { subject.map { "codebook \($0)" } ?? "codebook" }

  private var commitment: String {
    subject.map { "commitment loss of \($0)" } ?? "commitment loss"
  }

  /// A few words, for the last line of a run.
  package var summary: String {
    let state =
      switch name {
      case .collapsed: "\(codebook) collapsed"
      case .explodingCommitment: "\(commitment) exploded"
      case .deadHalf: "half of the \(codebook) dead"
      }
    return end.map { "\(state) from step \(since) to \($0)" }
      ?? "\(state) at step \(since): \(figure)"
  }

  /// What was measured, and what it means.
  package var text: String {
    switch name {
    case .collapsed:
      "the \(codebook) has collapsed: \(figure), and since step \(since) less than an eighth of the bits "
        + "that a code can carry. The codes say next to nothing about the image."
    case .explodingCommitment:
      "the \(commitment) has exploded: \(figure), and above \(Int(CodebookWatch.explodedCommitment)) since "
        + "step \(since), where the error of a grey picture is 1. The encoder's vectors are far from all "
        + "codewords, and the loss is about little else."
    case .deadHalf:
      "more than half of the \(codebook) is dead: \(figure) in the validation, and since step \(since) "
        + "fewer than one in a hundred have come into use. The other codewords play no part."
    }
  }
}
