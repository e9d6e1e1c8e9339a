import Options
import Quantizers
import Tensors

/// The architectures that a configuration can name. A new one is a file of its own and a line here.
package enum Architectures: Kinds {
  package static var all: [any NamedArchitecture.Type] {
    [
      ResidualArchitecture.self,
      StridedArchitecture.self,
      ResblockArchitecture.self,
      HierarchicalArchitecture.self,
    ]
  }

  package static func kind(_ entry: any NamedArchitecture.Type) -> any Kind.Type { entry }
  package static var initial: any NamedArchitecture.Type { ResidualArchitecture.self }
  package static var field: (name: String, meaning: String) {
    ("architecture", "encoder and decoder")
  }
}

/// The section `model`: an architecture and its options.
package typealias ModelSection = Section<Architectures>

extension Section<Architectures> {
  /// The height and width of an image have to be multiples of this.
  package var imageMultiple: Int {
    func multiple<Named: NamedArchitecture>(_ type: Named.Type) -> Int {
      Named.imageMultiple(options(of: type))
    }
    return multiple(entry)
  }

  /// Whether the architecture can take images of a shape.
  package func takes(_ image: ImageShape) -> Bool {
    [image.height, image.width].allSatisfy { $0.isMultiple(of: imageMultiple) }
  }

  /// The image sizes that the architecture can take, in words that follow "expected".
  ///
  /// - Parameter image: an image that it cannot take; the nearest smaller and larger sizes are named.
  package func imageSizes(near image: ImageShape) -> String {
    let multiple = imageMultiple
    func smaller(_ extent: Int) -> Int { max(multiple, extent / multiple * multiple) }
    func larger(_ extent: Int) -> Int { (extent + multiple - 1) / multiple * multiple }
    let sizes = [
      "\(smaller(image.height))×\(smaller(image.width))",
      "\(larger(image.height))×\(larger(image.width))",
    ]
    return "a height and a width that are multiples of \(multiple), such as "
      + (sizes[0] == sizes[1] ? sizes[0] : sizes.joined(separator: " or "))
      + ", which \(kind) can take"
  }

  /// How the architecture's published implementation initializes and updates a codebook.
  package var codebookDefaults: CodebookDefaults {
    func defaults<Named: NamedArchitecture>(_ type: Named.Type) -> CodebookDefaults {
      Named.codebookDefaults(options(of: type))
    }
    return defaults(entry)
  }

  /// Builds the architecture for images of a shape that it can take.
  package func build(image: ImageShape, dimension: Int) -> any Architecture {
    precondition(
      takes(image),
      "the image is \(image.height)×\(image.width); expected \(imageSizes(near: image))")
    func build<Named: NamedArchitecture>(_ type: Named.Type) -> any Architecture {
      Named(
        options(of: type), image: image, dimension: dimension)
    }
    return build(entry)
  }
}
