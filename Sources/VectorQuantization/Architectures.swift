import Options

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

  /// Whether the architecture takes images of a size.
  package func takes(imageHeight: Int, imageWidth: Int) -> Bool {
    [imageHeight, imageWidth].allSatisfy { $0 > 0 && $0.isMultiple(of: imageMultiple) }
  }

  /// The sizes that the architecture takes, in words that follow "expected".
  package var imageSizes: String {
    let multiple = imageMultiple
    return
      "a height and a width that are multiples of \(multiple), such as \(multiple)×\(multiple) "
      + "or \(2 * multiple)×\(2 * multiple), which \(kind) can take"
  }

  /// How the architecture's program starts and keeps a codebook.
  package var codebookDefaults: CodebookDefaults {
    func defaults<Named: NamedArchitecture>(_ type: Named.Type) -> CodebookDefaults {
      Named.codebookDefaults(options(of: type))
    }
    return defaults(entry)
  }

  /// Builds the architecture for images of a size that it takes.
  package func build(imageHeight: Int, imageWidth: Int, dimension: Int) -> any Architecture {
    precondition(
      takes(imageHeight: imageHeight, imageWidth: imageWidth),
      "the image is \(imageHeight)×\(imageWidth); expected \(imageSizes)")
    func build<Named: NamedArchitecture>(_ type: Named.Type) -> any Architecture {
      Named(
        options(of: type), imageHeight: imageHeight, imageWidth: imageWidth, dimension: dimension)
    }
    return build(entry)
  }
}
