import Kernels
import Runtime

/// A form that a kernel wants its constant operand in.
enum PackedForm: Hashable {
  /// Of filters, for a convolution.
  case filters(ConvolutionPlan)
  /// Of a codebook `[K, D]`, for the search for the nearest codeword.
  case codebook
}

/// A parameter in the forms that kernels read, made when first asked for.
///
/// Shared by the copies of a tensor and by all threads; whoever changes a copy starts anew.
final class PackedForms: Sendable {
  private let forms = Monitor<[PackedForm: Tensor]>([:])

  /// The forms that were asked for.
  var names: [PackedForm] {
    forms.withLock { forms in Array(forms.keys) }
  }

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
  /// These elements in the form that a kernel reads; kept, where ``keepingPackedForms()`` asks for it.
  func packed(_ form: PackedForm) -> Tensor {
    // Kept by itself, a tensor would never be freed.
    if case .filters(let plan) = form, plan.packedFilterCount == nil { return self }
    return packedForms?.form(form) { makePacked(form) } ?? makePacked(form)
  }

  private func makePacked(_ form: PackedForm) -> Tensor {
    switch form {
    case .filters(let plan):
      return Tensor([plan.packedFilterCount ?? 0]) { packed in
        withUnsafePointer { plan.packFilters($0, into: packed) }
      }
    case .codebook:
      let (codewords, width) = (shape[0], shape[1])
      return Tensor([packedCodebookCount(codewords: codewords, width: width)]) { packed in
        withUnsafePointer {
          packCodebook($0, codewords: codewords, width: width, into: packed)
        }
      }
    }
  }
}
