import Options
import Testing

/// Three kinds of shapes. Two of them have fields in common.
private enum Shapes: Kinds {
  static var all: [any Kind.Type] { [Box.self, Ring.self, Point.self] }
  static func kind(_ entry: any Kind.Type) -> any Kind.Type { entry }
  static var initial: any Kind.Type { Ring.self }
  static var field: (name: String, meaning: String) { ("shape", "what is drawn") }
}

private enum Box: Kind {
  struct Options: FieldOptions, Equatable {
    var width = 2
    var colour: String?
    var corner = 0.5
  }

  static let name = "box"
  static let fields: [Field<Options>] = [
    .path("colour", \.colour, "of its sides"),
    .integer("width", \.width, 1...9, "of a line"),
    .number("corner", \.corner, 0..<1, "its radius"),
  ]

  static func fault(in options: Options) -> FieldFault? {
    options.width == 9 && options.corner > 0 ? FieldFault(["corner", "width"], "too round") : nil
  }

  static func missing(in options: Options) -> FieldFault? {
    options.colour == nil ? FieldFault(["colour"], "needed") : nil
  }
}

private enum Ring: Kind {
  struct Options: FieldOptions, Equatable {
    var width = 2
    var gap = 1
    var colour: String?
  }

  static let name = "ring"
  static let fields: [Field<Options>] = [
    .path("colour", \.colour, "of all of it"),
    .integer("gap", \.gap, 0...9, "between the lines"),
    .integer("width", \.width, 1...9, "of a line"),
  ]
}

private enum Point: Kind {
  static let name = "point"
}

private struct Whole: FieldOptions {
  var part = Section<Shapes>()
}

@Suite("Sections of kinds and options")
struct SectionTests {
  private typealias Shape = Section<Shapes>

  @Test("a new section has the default kind with its defaults")
  func defaults() {
    #expect(Shape().kind == "ring")
    #expect(Shape().options(of: Ring.self) == Ring.Options())
    #expect(Shape.kinds == ["box", "ring", "point"])
    #expect(Shape(kind: "box")?.kind == "box" && Shape(kind: "cone") == nil)
  }

  @Test("every field occurs once, after the field that precedes it in its kind")
  func order() {
    #expect(Shape.fields.map(\.name) == ["shape", "colour", "gap", "width", "corner"])
    #expect(Shape.fields[0].domain == .choice(["box", "ring", "point"]))
  }

  @Test("equal meanings are merged, and name the kinds unless all kinds have the field")
  func meanings() {
    #expect(
      Shape.fields.map(\.meaning) == [
        "what is drawn", "box: of its sides; ring: of all of it", "ring: between the lines",
        "box, ring: of a line", "box: its radius",
      ])
    #expect(
      Shape.fields.map(\.owners?.kinds) == [
        nil, ["box", "ring"], ["ring"], ["box", "ring"], ["box"],
      ])
  }

  @Test("a field has a value only under its own kinds, and keeps it while another kind is chosen")
  func values() {
    var shape = Shape()
    let (kind, gap, width) = (Shape.fields[0], Shape.fields[2], Shape.fields[3])
    gap.set(.integer(5), &shape)
    width.set(.integer(7), &shape)
    #expect(gap.get(shape) == .integer(5) && gap.belongs(shape))
    kind.set(.choice("box"), &shape)
    #expect(gap.get(shape) == nil && !gap.belongs(shape))
    #expect(width.get(shape) == .integer(7))
    #expect(shape.options(of: Box.self).width == 7)
    #expect(shape.summary == "box (width 7, corner 0.5)")
    width.set(nil, &shape)
    #expect(width.get(shape) == .integer(2))
    kind.set(nil, &shape)
    #expect(shape.kind == "ring" && gap.get(shape) == .integer(5))
  }

  @Test("options of other kinds do not affect equality")
  func equality() {
    var (a, b) = (Shape(Box.self, .init()), Shape(Box.self, .init()))
    Shape.fields[2].set(.integer(5), &a)
    #expect(a == b)
    b.update(Box.self) { $0.corner = 0.25 }
    #expect(a != b && a != Shape())
    #expect(Shape(kind: "point") == Shape(kind: "point"))
  }

  @Test("a fault names the field of its kind, and has dotted names when lifted")
  func faults() {
    var shape = Shape(Box.self, .init())
    #expect(shape.fault == nil && shape.missing?.kindField == "shape")
    shape.update(Box.self) { ($0.width, $0.colour) = (9, "red") }
    #expect(shape.missing == nil)
    #expect(
      shape.fault?.lifted(prefix: "part")
        == FieldFault(["part.corner", "part.width"], "too round", kindField: "part.shape"))
    #expect(Shape().fault == nil && Shape().missing == nil)
  }

  @Test("lifted fields have dotted names and access the part")
  func lifted() {
    let fields = Shape.fields.lifted(to: \Whole.part, prefix: "part")
    var whole = Whole()
    #expect(fields.map(\.name).prefix(2) == ["part.shape", "part.colour"])
    #expect(fields[1].owners?.kindField == "part.shape")
    fields[0].set(.choice("box"), &whole)
    fields[4].set(.number(0.75), &whole)
    #expect(whole.part.options(of: Box.self).corner == 0.75)
    #expect(fields[4].get(whole) == .number(0.75) && fields[4].belongs(whole))
    #expect(fields[2].get(whole) == nil && fields[2].initial == .integer(1))
  }

  @Test("a domain contains its bounds and no values of other types")
  func domains() {
    #expect(FieldDomain.integer(1...3).contains(.integer(3)))
    #expect(!FieldDomain.integer(1...3).contains(.integer(4)))
    #expect(!FieldDomain.integer(1...3).contains(.number(2)))
    #expect(FieldDomain.natural.contains(.natural(.max)))
    #expect(!FieldDomain.number(0..<1).contains(.number(1)))
    #expect(!FieldDomain.path.contains(.path("")))
    #expect(!FieldDomain.integers(1...2, count: 1...2).contains(.integers([])))
    #expect(FieldDomain.choice(["a", "b", "c"]).expected == "a, b or c")
  }

  @Test("the scope of a field can depend on other options")
  func scopes() {
    let field = Ring.fields[1].scoped { $0.width > 5 ? .experiment : .runtime }
    var options = Ring.Options()
    #expect(field.scope(options) == .runtime)
    options.width = 6
    #expect(field.scope(options) == .experiment)
    #expect(Ring.fields[0].scope(options) == .runtime)
  }
}
