import Tensors
import TestSupport
import Testing

/// Filters and codebooks are brought into the form of their kernels once and kept. What is kept must never
/// outlive the elements it was made of.
@Suite("Packed forms")
struct PackedFormTests {
  private let images: Tensor
  private let filters: Tensor
  private let window = ConvolutionWindow(kernelSize: 3, padding: 1)

  init() {
    var generator = SeededGenerator(test: 3)
    images = generator.tensor([2, 8, 8, 32])
    filters = generator.tensor([3, 3, 32, 32])
  }

  private func maps(_ filters: Tensor) -> [Float] {
    images.convolved(with: filters, bias: nil, window: window).elements
  }

  private func gradient(_ filters: Tensor) -> [Float] {
    images.transposedConvolved(
      with: filters, bias: nil, window: window, imageShape: images.shape
    ).elements
  }

  @Test("kept or not, the same bytes come out, every time")
  func same() {
    let kept = filters.keepingPackedForms()
    for _ in 0..<2 {
      #expect(maps(kept) == maps(filters))
      #expect(gradient(kept) == gradient(filters))
    }
  }

  @Test("changed elements are packed anew; copies keep what they had")
  func changed() {
    var kept = filters.keepingPackedForms()
    let (before, gradientBefore) = (maps(kept), gradient(kept))
    let copy = kept
    kept.withUnsafeMutablePointer { $0[5] += 1 }
    let fresh = Tensor(kept.shape, kept.elements)
    #expect(maps(kept) == maps(fresh) && maps(kept) != before)
    #expect(gradient(kept) == gradient(fresh) && gradient(kept) != gradientBefore)
    #expect(maps(copy) == before && gradient(copy) == gradientBefore)
  }

  @Test("Adam packs again what had been packed, from the new elements")
  func adam() {
    var kept = filters.keepingPackedForms()
    _ = (maps(kept), gradient(kept))
    var moments = (Tensor(zeros: filters.shape), Tensor(zeros: filters.shape))
    for step in 1...2 {
      kept.adamStep(
        gradient: filters, firstMoment: &moments.0, secondMoment: &moments.1, learningRate: 0.1,
        beta1: 0.9, beta2: 0.999, epsilon: 1e-8, step: step)
      let fresh = Tensor(kept.shape, kept.elements)
      #expect(maps(kept) == maps(fresh) && maps(kept) != maps(filters))
      #expect(gradient(kept) == gradient(fresh))
    }
  }

  @Test("one tensor of filters serves images of several sizes and several methods")
  func sizes() {
    let kept = filters.keepingPackedForms()
    var generator = SeededGenerator(test: 4)
    for extent in [8, 12, 7] {
      let images = generator.tensor([1, extent, extent, 32])
      for method in ConvolutionMethod.allCases {
        #expect(
          images.convolved(with: kept, bias: nil, window: window, method: method).elements
            == images.convolved(with: filters, bias: nil, window: window, method: method).elements)
      }
    }
  }

  /// A form that was the tensor itself once kept it for ever, and a training step leaked its parameters.
  @Test("nothing that is kept refers to the elements", arguments: ConvolutionMethod.allCases)
  func noCycle(method: ConvolutionMethod) {
    var kept = filters.keepingPackedForms()
    kept.withUnsafeMutablePointer { $0[0] = 1 }
    let before = kept.withUnsafePointer { UInt(bitPattern: $0) }
    _ = images.convolved(with: kept, bias: nil, window: window, method: method)
    _ = images.transposedConvolved(
      with: kept, bias: nil, window: window, imageShape: images.shape, method: method)
    // Changed in place: nobody else refers to them.
    let after = kept.withUnsafeMutablePointer { UInt(bitPattern: $0) }
    #expect(before == after)
  }

  @Test("a changed codebook is searched as it is now")
  func codebook() {
    var generator = SeededGenerator(test: 5)
    var codebook = generator.tensor([40, 8]).keepingPackedForms()
    let vectors = generator.tensor([100, 8])
    let before = codebook.nearestCodes(to: vectors).indices
    codebook.withUnsafeMutablePointer { elements in
      for i in 0..<(40 * 8) { elements[i] = -elements[i] }
    }
    let after = codebook.nearestCodes(to: vectors).indices
    #expect(after == Tensor(codebook.shape, codebook.elements).nearestCodes(to: vectors).indices)
    #expect(after != before)
  }

  @Test("threads that ask at once get the same")
  func threads() async {
    let kept = filters.keepingPackedForms()
    let expected = maps(filters)
    await withTaskGroup(of: [Float].self) { group in
      for _ in 0..<8 { group.addTask { self.maps(kept) } }
      for await found in group { #expect(found == expected) }
    }
  }
}
