import Autograd

/// Residual blocks one after the other, and a last ReLU.
package struct ResidualStack: Module {
  private let style: ResidualBlock.Style
  private let blocks: [ResidualBlock]

  /// - Parameters:
  ///   - channels: of what comes in and goes out.
  ///   - hidden: channels inside a block.
  package init(
    _ name: String, channels: Int, hidden: Int, layers: Int, style: ResidualBlock.Style,
    start: WeightStart = .pyTorch
  ) {
    self.style = style
    blocks = (0..<layers).map {
      ResidualBlock("\(name).\($0)", channels: channels, hidden: hidden, style: style, start: start)
    }
  }

  package var parameters: [Parameter] { blocks.flatMap(\.parameters) }

  package func callAsFunction(_ x: Variable) -> Variable {
    style.skipHasReLU
      ? blocks.reduce(relu(x)) { x, block in block.rectified(x) }
      : relu(blocks.reduce(x) { x, block in block(x) })
  }
}
