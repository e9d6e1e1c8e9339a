import Autograd

/// Residual blocks in sequence, followed by ReLU.
package struct ResidualStack: Module {
  private let style: ResidualBlock.Style
  private let blocks: [ResidualBlock]

  /// - Parameters:
  ///   - channels: of the input and the output.
  ///   - hidden: channels inside a block.
  package init(
    _ name: String, channels: Int, hidden: Int, layers: Int, style: ResidualBlock.Style,
    initialization: Initialization = .pyTorch
  ) {
    self.style = style
    blocks = (0..<layers).map {
      ResidualBlock(
        "\(name).\($0)", channels: channels, hidden: hidden, style: style,
        initialization: initialization)
    }
  }

  package var parameters: [Parameter] { blocks.flatMap(\.parameters) }

  package func callAsFunction(_ x: Variable) -> Variable {
    style.skipHasReLU
      ? blocks.reduce(relu(x)) { x, block in block.activated(x) }
      : relu(blocks.reduce(x) { x, block in block(x) })
  }
}
