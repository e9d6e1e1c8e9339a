import Kernels

/// Filters in the forms that convolution kernels read, made when first asked for.
///
/// Shared by the copies of a tensor and by all threads; whoever changes a copy starts anew.
final class PackedForms: Sendable {
  private let forms = Monitor<[ConvolutionPlan: Tensor]>([:])

  /// Threads that ask for what is being made wait for it.
  func form(for plan: ConvolutionPlan, make: () -> Tensor) -> Tensor {
    forms.withLock { forms in
      if let form = forms[plan] { return form }
      let form = make()
      forms[plan] = form
      return form
    }
  }
}

extension Tensor {
  /// These filters in the form that a kernel reads.
  func packed(for plan: ConvolutionPlan) -> Tensor {
    guard let count = plan.packedFilterCount else { return self }
    func make() -> Tensor {
      Tensor([count]) { packed in withUnsafePointer { plan.packFilters($0, into: packed) } }
    }
    return packedForms?.form(for: plan, make: make) ?? make()
  }
}
