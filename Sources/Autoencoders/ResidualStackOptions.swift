import Options

/// The options of architectures with stacks of residual blocks.
package protocol ResidualStackOptions: FieldOptions {
  /// Channels of the hidden feature maps.
  var hidden: Int { get set }
  /// Residual blocks in a stack.
  var residualLayers: Int { get set }
  /// Channels inside a residual block.
  var residualHidden: Int { get set }
}

extension ResidualStackOptions {
  package static var fields: [Field<Self>] {
    [
      .integer("hidden", \.hidden, 2...4096, "channels of the hidden maps; even"),
      .integer("residual_layers", \.residualLayers, 0...64, "residual blocks in a stack"),
      .integer("residual_hidden", \.residualHidden, 1...4096, "channels inside a block"),
    ]
  }

  /// The number of hidden channels has to be even.
  package var fault: FieldFault? {
    hidden.isMultiple(of: 2)
      ? nil : FieldFault(["hidden"], "expected an even number, found \(hidden)")
  }
}
