/// The section `model` of a configuration: the architecture, and what all of them can be told. Each field
/// has its one default here.
package struct ModelOptions: Sendable, Equatable {
  package var architecture = ArchitectureName(ResidualArchitecture.self)

  // MARK: residual, and hierarchical but for the preset

  package var preset = ResidualArchitecture.Preset.zalando
  /// Channels of the hidden maps.
  package var hidden = 128
  package var residualLayers = 2
  /// Channels inside a residual block.
  package var residualHidden = 32

  // MARK: resblock

  package var resblock = ResblockArchitecture.Options()

  package init() {}

  /// The height and width of an image have to be multiples of this.
  package var imageMultiple: Int { architecture.type.imageMultiple(self) }

  /// Whether the architecture takes images of a size.
  package func takes(imageHeight: Int, imageWidth: Int) -> Bool {
    [imageHeight, imageWidth].allSatisfy { $0 > 0 && $0.isMultiple(of: imageMultiple) }
  }

  /// The sizes that the architecture takes, in words that follow "expected".
  package var imageSizes: String {
    let multiple = imageMultiple
    return
      "a height and a width that are multiples of \(multiple), such as \(multiple)×\(multiple) "
      + "or \(2 * multiple)×\(2 * multiple), which \(architecture.rawValue) can take"
  }

  /// Builds the architecture for images of a size that it takes.
  package func build(imageHeight: Int, imageWidth: Int, dimension: Int) -> any Architecture {
    precondition(
      takes(imageHeight: imageHeight, imageWidth: imageWidth),
      "the image is \(imageHeight)×\(imageWidth); expected \(imageSizes)")
    return architecture.type.init(
      self, imageHeight: imageHeight, imageWidth: imageWidth, dimension: dimension)
  }
}
