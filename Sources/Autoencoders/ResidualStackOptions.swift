import Options

/// What architectures with stacks of residual blocks have as options.
package protocol ResidualStackOptions: FieldOptions {
  /// Channels of the hidden maps.
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

  /// Half of the hidden channels have to be a whole number.
  package var fault: FieldFault? {
    hidden.isMultiple(of: 2)
      ? nil : FieldFault(["hidden"], "expected an even number, found \(hidden)")
  }
}
