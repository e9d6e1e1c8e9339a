import KernelTypes

// A plan names an algorithm and a pass; these switches name the kernels. Nothing else knows which kernels there are.

extension Module {
  package static func packedFilterCount(_ plan: ConvolutionPlan) -> Int? {
    switch (plan.algorithm, plan.pass) {
    case (.im2col, _), (_, .filterGradient): nil
    case (.columns, .inputGradient): plan.geometry.columnTransposedFilterCount
    case (.columns, _), (.direct, _): plan.geometry.filterCount
    case (.winograd, _): plan.geometry.winogradFilterCount
    }
  }

  package static func packingWorkspaceCount(_ plan: ConvolutionPlan) -> Int {
    plan.isMirrored ? plan.geometry.filterCount : 0
  }

  package static func packFilters(
    _ filters: UnsafePointer<Float>, for plan: ConvolutionPlan,
    into packed: UnsafeMutablePointer<Float>, workspace: UnsafeMutablePointer<Float>
  ) {
    guard packedFilterCount(plan) != nil else { return }
    let kernel =
      switch (plan.algorithm, plan.pass) {
      case (.columns, .inputGradient): columnTransposedFilters
      case (.direct, .inputGradient): directFlippedFilters
      case (.winograd, .inputGradient): winogradFlippedFilters
      case (.winograd, _): winogradFilters
      default: directFilters
      }
    if plan.isMirrored {
      mirrorFilters(filters, into: workspace, of: plan.geometry)
      kernel(workspace, plan.geometry, packed)
    } else {
      kernel(filters, plan.geometry, packed)
    }
  }

  package static func workspaceCount(_ plan: ConvolutionPlan, count: Int) -> Int {
    let g = plan.geometry
    let kernel =
      switch (plan.algorithm, plan.pass) {
      case (.im2col, _), (.columns, .filterGradient):
        g.im2colWorkspaceCount(plan.pass, count: count)
      case (.columns, .forward): g.columnForwardWorkspaceCount(count: count)
      case (.columns, .inputGradient): g.columnInputGradientWorkspaceCount(count: count)
      case (.direct, .forward): g.directForwardWorkspaceCount
      case (.direct, .inputGradient): g.directInputGradientWorkspaceCount
      case (.direct, .filterGradient): g.directFilterGradientWorkspaceCount(count: count)
      case (.winograd, .forward): g.winogradForwardWorkspaceCount(count: count)
      case (.winograd, .inputGradient): g.winogradInputGradientWorkspaceCount(count: count)
      case (.winograd, .filterGradient): g.winogradFilterGradientWorkspaceCount(count: count)
      }
    return mirroredGradientCount(plan) &+ kernel
  }

  /// Floats of scratch memory for a filter gradient before it is flipped.
  private static func mirroredGradientCount(_ plan: ConvolutionPlan) -> Int {
    guard plan.isMirrored, case .filterGradient = plan.pass else { return 0 }
    return (plan.geometry.filterCount &+ 15) & ~15
  }

  package static func convolve(
    _ plan: ConvolutionPlan, _ first: UnsafePointer<Float>, _ second: UnsafePointer<Float>,
    epilogue: ConvolutionEpilogue, count: Int, into result: UnsafeMutablePointer<Float>,
    workspace: UnsafeMutablePointer<Float>
  ) {
    let geometry = plan.geometry
    switch plan.pass {
    case .forward:
      let kernel =
        switch plan.algorithm {
        case .im2col: im2colConvolution
        case .columns: columnConvolution
        case .direct: directConvolution
        case .winograd: winogradConvolution
        }
      kernel(first, second, epilogue, count, geometry, result, workspace)
    case .inputGradient:
      let kernel =
        switch plan.algorithm {
        case .im2col: im2colInputGradient
        case .columns: columnInputGradient
        case .direct: directInputGradient
        case .winograd: winogradInputGradient
        }
      kernel(first, second, epilogue, count, geometry, result, workspace)
    case .filterGradient:
      let kernel =
        switch plan.algorithm {
        case .im2col, .columns: im2colFilterGradient
        case .direct: directFilterGradient
        case .winograd: winogradFilterGradient
        }
      if plan.isMirrored {
        let flipped = workspace
        kernel(second, first, count, geometry, flipped, workspace + mirroredGradientCount(plan))
        mirrorFilters(flipped, into: result, of: geometry.mirrored ?? geometry)
      } else {
        kernel(first, second, count, geometry, result, workspace)
      }
    }
  }
}
