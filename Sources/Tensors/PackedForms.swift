import Kernels
import Runtime

/// A packed form in which a kernel reads its constant operand.
enum PackedForm: Hashable {
  /// Filters, packed for a convolution.
  case filters(ConvolutionPlan)
  /// A codebook `[K, D]`, packed for the search for the nearest codeword.
  case codebook
}

/// The packed forms of a parameter, each made at its first use.
///
/// Shared by the copies of a tensor and by all threads; a copy that is changed starts with none.
final class PackedForms: Sendable {
  private let forms = Monitor<[PackedForm: Tensor]>([:])

  /// The forms made so far.
  var names: [PackedForm] {
    forms.withLock { forms in Array(forms.keys) }
  }

  /// Returns a form, made by `make` at its first use. A thread that asks while it is being made waits for it.
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
  /// The elements in a packed form, which is cached if the tensor is from ``keepingPackedForms()``.
  func packed(_ form: PackedForm) -> Tensor {
    // A tensor that is cached in itself would never be freed.
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
