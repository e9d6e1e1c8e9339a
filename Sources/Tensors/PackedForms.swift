import Kernels

/// A form that a kernel wants its constant operand in.
enum PackedForm: Hashable {
  case filters(ConvolutionPlan)
  case codebook
}

/// A parameter in the forms that kernels read, made when first asked for.
///
/// Shared by the copies of a tensor and by all threads; whoever changes a copy starts anew.
final class PackedForms: Sendable {
  private let forms = Monitor<[PackedForm: Tensor]>([:])

  /// Threads that ask for what is being made wait for it.
  func form(_ name: PackedForm, make: () -> Tensor) -> Tensor {
    forms.withLock { forms in
      if let form = forms[name] { return form }
      let form = make()
      forms[name] = form
      return form
    }
  }
}

extension Tensor {
  /// These filters in the form that a kernel reads.
  func packed(for plan: ConvolutionPlan) -> Tensor {
    guard let count = plan.packedFilterCount else { return self }
    return packed(.filters(plan), count: count) { plan.packFilters($0, into: $1) }
  }

  /// This codebook `[K, D]` in the form that the search for the nearest codeword reads.
  func packedCodebook() -> Tensor {
    let (codewords, width) = (shape[0], shape[1])
    return packed(.codebook, count: packedCodebookCount(codewords: codewords, width: width)) {
      packCodebook($0, codewords: codewords, width: width, into: $1)
    }
  }

  private func packed(
    _ form: PackedForm, count: Int,
    _ pack: (UnsafePointer<Float>, UnsafeMutablePointer<Float>) -> Void
  ) -> Tensor {
    func make() -> Tensor {
      Tensor([count]) { packed in withUnsafePointer { pack($0, packed) } }
    }
    return packedForms?.form(form, make: make) ?? make()
  }
}
