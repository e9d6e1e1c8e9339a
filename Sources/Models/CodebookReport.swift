import Autoencoders
import Autograd
import NN
import Quantizers
import Training

/// How a codebook was used by the images of an evaluation.
package struct CodebookReport: Encodable, Sendable {
  package let name: String
  package let perplexity: Double
  package let codesUsed: Int
  /// K.
  package let codebookSize: Int
  /// Whether the codes carry next to nothing (see ``CodebookWatch``).
  package let collapsed: Bool
  /// The entropy of a code, in bits.
  package let codeEntropy: Double
  /// The entropy of all of an image's codes of this codebook, in bits.
  package let bitsPerImage: Double
  /// Of the codewords that were used (see ``effectiveRank(ofRows:)``), or nil if there are no codewords.
  package let codebookEffectiveRank: Double?

  private init(_ usage: CodebookUsage, images: Int, effectiveRank: Double?) {
    name = usage.name
    perplexity = usage.perplexity
    codesUsed = usage.used
    codebookSize = usage.counts.count
    collapsed = CodebookWatch.isCollapsed(perplexity: perplexity, size: codebookSize)
    codeEntropy = usage.entropy
    bitsPerImage = usage.entropy * Double(usage.total) / Double(images)
    codebookEffectiveRank = effectiveRank
  }

  /// One report for each codebook of a model.
  package static func all(
    of evaluation: Evaluation, model: VQVAE, _ values: ParameterValues
  ) -> [CodebookReport] {
    // A quantizer has a usage for each of its slots.
    let codebooks = model.quantizers.flatMap { quantizer in
      quantizer.alphabet.map { _ in quantizer.alphabet.count == 1 ? quantizer.codebook : nil }
    }
    return zip(evaluation.measurements.usage, codebooks).map { usage, codebook in
      let used = codebook.map { usage.usedCodewords(of: values[$0.parameter]) }
      return CodebookReport(
        usage, images: evaluation.count, effectiveRank: used.flatMap { effectiveRank(ofRows: $0) })
    }
  }
}
