/// The section `model` of a configuration: the architecture, and what it has been told.
package struct ModelOptions: Sendable {
  package var architecture = ArchitectureName(ResidualArchitecture.self)
  /// What was said of fields by their names; of other architectures' fields too, for a file can name the
  /// architecture behind them.
  private var values: [String: FieldValue] = [:]

  package init() {}

  package init<Named: NamedArchitecture>(_ type: Named.Type, _ options: Named.Options) {
    architecture = ArchitectureName(type)
    for field in Named.fields { values[field.name] = field.get(options) }
  }

  /// The value of a field, where it was not set the architecture's own; nil where the architecture has no
  /// such field.
  package subscript(field name: String) -> FieldValue? {
    get {
      guard let field = architecture.fields.first(where: { $0.name == name }) else { return nil }
      return values[name] ?? field.initial
    }
    set {
      let domains = ArchitectureName.allCases.flatMap(\.fields).filter { $0.name == name }
        .map(\.domain)
      precondition(!domains.isEmpty, "no architecture has a field \(name)")
      precondition(
        newValue.map { domains[0].contains($0) } ?? true, "\(name) cannot be \(newValue!)")
      values[name] = newValue
    }
  }

  /// The options of an architecture, with what was set.
  package func options<Named: NamedArchitecture>(of type: Named.Type) -> Named.Options {
    var options = Named.Options()
    for field in Named.fields {
      if let value = values[field.name] { field.set(value, &options) }
    }
    return options
  }

  /// What no field can check alone.
  package var fault: ModelFault? {
    func fault<Named: NamedArchitecture>(_ type: Named.Type) -> ModelFault? {
      Named.fault(in: options(of: type))
    }
    return fault(architecture.type)
  }

  /// The height and width of an image have to be multiples of this.
  package var imageMultiple: Int {
    func multiple<Named: NamedArchitecture>(_ type: Named.Type) -> Int {
      Named.imageMultiple(options(of: type))
    }
    return multiple(architecture.type)
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
      + "or \(2 * multiple)×\(2 * multiple), which \(architecture.rawValue) can take"
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
    return build(architecture.type)
  }
}

extension ModelOptions: Equatable {
  /// Whether both describe one model: what other architectures were told does not count.
  package static func == (a: Self, b: Self) -> Bool {
    a.architecture == b.architecture
      && a.architecture.fields.allSatisfy { a[field: $0.name] == b[field: $0.name] }
  }
}
