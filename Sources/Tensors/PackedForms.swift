import KernelTypes
import Kernels
import Runtime

/// A packed form in which a kernel reads its constant operand.
struct PackedForm: Hashable {
  enum Operand: Hashable {
    /// Filters, packed for a convolution.
    case filters(ConvolutionPlan)
    /// A codebook `[K, D]`, packed for the search for the nearest codeword.
    case codebook
  }

  let operand: Operand
  /// The kernels that it is packed for.
  let kernels: KernelSet

  /// The form for the kernels in use.
  init(_ operand: Operand) {
    self.operand = operand
    kernels = .current
  }
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
  func packed(_ operand: PackedForm.Operand) -> Tensor {
    // A tensor that is cached in itself would never be freed.
    if case .filters(let plan) = operand, kernels.packedFilterCount(plan) == nil { return self }
    return packedForms?.form(PackedForm(operand)) { makePacked(operand) } ?? makePacked(operand)
  }

  private func makePacked(_ operand: PackedForm.Operand) -> Tensor {
    switch operand {
    case .filters(let plan):
      return Tensor([kernels.packedFilterCount(plan) ?? 0]) { packed in
        withUnsafePointer { filters in
          withWorkspace(kernels.packingWorkspaceCount(plan)) {
            kernels.packFilters(filters, for: plan, into: packed, workspace: $0)
          }
        }
      }
    case .codebook:
      let (codewords, width) = (shape[0], shape[1])
      return Tensor([kernels.packedCodebookCount(codewords: codewords, width: width)]) { packed in
        withUnsafePointer {
          kernels.packCodebook($0, codewords: codewords, width: width, into: packed)
        }
      }
    }
  }
}
