import Tensors
import TestSupport
import Testing

/// Filters and codebooks are packed for their kernels once, and the packed form is kept. It must never
/// outlive the elements that it was made from.
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

  @Test("results have the same bytes with and without kept forms, every time")
  func same() {
    let kept = filters.keepingPackedForms()
    for _ in 0..<2 {
      #expect(maps(kept) == maps(filters))
      #expect(gradient(kept) == gradient(filters))
    }
  }

  @Test("changed elements are packed again; copies keep their forms")
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

  @Test("after a step, Adam packs the new elements into the forms that were kept")
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

  @Test("one tensor of filters works for several image sizes and methods")
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

  /// A form that was the tensor itself once made a reference cycle, and a training step leaked its
  /// parameters.
  @Test("kept forms hold no reference to the elements", arguments: ConvolutionMethod.allCases)
  func noCycle(method: ConvolutionMethod) {
    var kept = filters.keepingPackedForms()
    kept.withUnsafeMutablePointer { $0[0] = 1 }
    let before = kept.withUnsafePointer { UInt(bitPattern: $0) }
    _ = images.convolved(with: kept, bias: nil, window: window, method: method)
    _ = images.transposedConvolved(
      with: kept, bias: nil, window: window, imageShape: images.shape, method: method)
    // The elements were changed in place, so there is no other reference to them.
    let after = kept.withUnsafeMutablePointer { UInt(bitPattern: $0) }
    #expect(before == after)
  }

  @Test("a search uses the current elements of a changed codebook")
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

  @Test("threads that ask at the same time get the same form")
  func threads() async {
    let kept = filters.keepingPackedForms()
    let expected = maps(filters)
    await withTaskGroup(of: [Float].self) { group in
      for _ in 0..<8 { group.addTask { self.maps(kept) } }
      for await found in group { #expect(found == expected) }
    }
  }
}
