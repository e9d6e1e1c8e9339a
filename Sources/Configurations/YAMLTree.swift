import CYaml

/// A node of a YAML text, with its position.
struct YAMLNode: Sendable {
  enum Content: Sendable {
    /// - Parameter isPlain: whether the scalar is unquoted and has no string tag, so that it can be a number
    ///   or null.
    case scalar(String, isPlain: Bool)
    case sequence([YAMLNode])
    case mapping([(key: YAMLNode, value: YAMLNode)])
    /// An alias, which is reported as a fault and not expanded.
    case alias
  }

  let content: Content
  let mark: YAMLMark
}

/// A position in a text. Both numbers begin at 1, and columns count code points.
struct YAMLMark: Sendable, Equatable {
  let line: Int
  let column: Int
}

/// The tree of a YAML text, built from libyaml's events, and the faults found in it.
///
/// It does not use Yams's nodes: Yams expands anchors, so that a few lines make a document of any size
/// ("billion laughs"), and stops at the first duplicate key. Here an alias is a leaf, a mapping keeps all
/// its pairs, and the work is linear in the length of the text.
struct YAMLTree {
  /// Nil if the text is empty or is not YAML.
  private(set) var root: YAMLNode?
  private(set) var faults: [(mark: YAMLMark, message: String)] = []

  /// Far more than the two levels of a configuration.
  static let maximumDepth = 16

  init(_ yaml: String) {
    // Some editors begin a text with a byte order mark.
    let text =
      yaml.unicodeScalars.first == "\u{FEFF}"
      ? yaml.unicodeScalars.dropFirst() : yaml[...].unicodeScalars
    if let found = Self.firstForbidden(in: text) {
      faults.append(found)
      return
    }
    do {
      root = try Self.parse(Array(String(text).utf8), &faults)
    } catch {
      faults.append((error.mark, error.message))
    }
  }

  private struct SyntaxError: Error {
    let mark: YAMLMark
    let message: String
  }

  /// The first character that YAML does not allow. libyaml would report it before any fault that precedes it.
  private static func firstForbidden(
    in text: Substring.UnicodeScalarView
  ) -> (mark: YAMLMark, message: String)? {
    var (line, column) = (1, 1)
    var before: Unicode.Scalar = " "
    for scalar in text {
      let isLineEnd = scalar == "\n" || scalar == "\r"
      if scalar.value < 0x20 && !isLineEnd && scalar != "\t"
        || (0x7F...0x9F).contains(scalar.value) && scalar.value != 0x85
      {
        let name =
          "U+" + String(repeating: "0", count: scalar.value < 16 ? 3 : 2)
          + String(scalar.value, radix: 16, uppercase: true)
        return (
          YAMLMark(line: line, column: column),
          scalar.value == 0
            ? "a NUL byte: the file is damaged or not text; expected UTF-8"
            : "control characters are not allowed, found \(name)"
        )
      }
      if scalar == "\n" && before == "\r" {
        // CR LF is one line end, which CR has counted.
      } else if isLineEnd {
        (line, column) = (line + 1, 1)
      } else {
        column += 1
      }
      before = scalar
    }
    return nil
  }

  private static func parse(
    _ bytes: [UInt8], _ faults: inout [(mark: YAMLMark, message: String)]
  ) throws(SyntaxError) -> YAMLNode? {
    let parser = UnsafeMutablePointer<yaml_parser_t>.allocate(capacity: 1)
    defer { parser.deallocate() }
    guard yaml_parser_initialize(parser) == 1 else {
      throw SyntaxError(mark: YAMLMark(line: 1, column: 1), message: "out of memory")
    }
    defer { yaml_parser_delete(parser) }
    return try bytes.withUnsafeBufferPointer { buffer throws(SyntaxError) in
      yaml_parser_set_encoding(parser, YAML_UTF8_ENCODING)
      yaml_parser_set_input_string(parser, buffer.baseAddress, buffer.count)
      var builder = Builder(parser: parser, faults: faults)
      defer { faults = builder.faults }
      return try builder.document()
    }
  }

  /// Builds nodes from events.
  private struct Builder {
    let parser: UnsafeMutablePointer<yaml_parser_t>
    var faults: [(mark: YAMLMark, message: String)]

    /// The parts of a libyaml event that are used, copied because the event itself is freed.
    private enum Event {
      case end, documentStart
      case scalar(String, isPlain: Bool)
      case alias
      case sequenceStart, mappingStart
      /// The end of a sequence or of a mapping.
      case collectionEnd
    }

    mutating func document() throws(SyntaxError) -> YAMLNode? {
      guard case (.documentStart, _) = try next() else { return nil }
      let (event, mark) = try next()
      let root = try node(event, mark, depth: 0)
      if case (.documentStart, let mark) = try next() {
        faults.append((mark, "expected one document, found another document"))
      }
      return root
    }

    private mutating func node(
      _ event: Event, _ mark: YAMLMark, depth: Int
    ) throws(SyntaxError) -> YAMLNode {
      guard depth < maximumDepth else {
        throw SyntaxError(mark: mark, message: "the nesting is too deep")
      }
      switch event {
      case .scalar(let text, let isPlain):
        return YAMLNode(content: .scalar(text, isPlain: isPlain), mark: mark)
      case .sequenceStart:
        var items: [YAMLNode] = []
        while let item = try child(depth: depth) { items.append(item) }
        return YAMLNode(content: .sequence(items), mark: mark)
      case .mappingStart:
        var pairs: [(key: YAMLNode, value: YAMLNode)] = []
        while let key = try child(depth: depth), let value = try child(depth: depth) {
          pairs.append((key, value))
        }
        return YAMLNode(content: .mapping(pairs), mark: mark)
      case .alias, .collectionEnd, .documentStart, .end:
        return YAMLNode(content: .alias, mark: mark)
      }
    }

    /// The next node of a collection, or nil at its end.
    private mutating func child(depth: Int) throws(SyntaxError) -> YAMLNode? {
      let (event, mark) = try next()
      if case .collectionEnd = event { return nil }
      return try node(event, mark, depth: depth + 1)
    }

    /// The next event; those without a meaning here are skipped.
    private mutating func next() throws(SyntaxError) -> (Event, YAMLMark) {
      while true {
        var event = yaml_event_t()
        guard yaml_parser_parse(parser, &event) == 1 else { throw syntaxError }
        defer { yaml_event_delete(&event) }
        let mark = YAMLMark(event.start_mark)
        switch event.type {
        case YAML_NO_EVENT, YAML_STREAM_END_EVENT: return (.end, mark)
        case YAML_DOCUMENT_START_EVENT: return (.documentStart, mark)
        case YAML_ALIAS_EVENT:
          report(mark)
          return (.alias, mark)
        case YAML_SCALAR_EVENT:
          let scalar = event.data.scalar
          if scalar.anchor != nil { report(mark) }
          let text = String(
            decoding: UnsafeBufferPointer(start: scalar.value, count: scalar.length), as: UTF8.self)
          // With one of these tags, a plain scalar is text too.
          let isText = ["!", "tag:yaml.org,2002:str"].contains(Self.string(scalar.tag))
          return (.scalar(text, isPlain: scalar.style == YAML_PLAIN_SCALAR_STYLE && !isText), mark)
        case YAML_SEQUENCE_START_EVENT:
          if event.data.sequence_start.anchor != nil { report(mark) }
          return (.sequenceStart, mark)
        case YAML_MAPPING_START_EVENT:
          if event.data.mapping_start.anchor != nil { report(mark) }
          return (.mappingStart, mark)
        case YAML_SEQUENCE_END_EVENT, YAML_MAPPING_END_EVENT: return (.collectionEnd, mark)
        default: continue
        }
      }
    }

    private static func string(_ text: UnsafeMutablePointer<yaml_char_t>?) -> String {
      text.map { String(cString: $0) } ?? ""
    }

    private mutating func report(_ mark: YAMLMark) {
      faults.append((mark, "anchors and aliases are not supported; write the value out"))
    }

    private var syntaxError: SyntaxError {
      let problem = parser.pointee.problem.map { String(cString: $0) } ?? "invalid YAML"
      // The parser's own message, except for its nesting limit.
      let message =
        problem.hasPrefix("Maximum nesting level") ? "the nesting is too deep" : problem
      return SyntaxError(mark: YAMLMark(parser.pointee.problem_mark), message: message)
    }
  }
}

extension YAMLMark {
  fileprivate init(_ mark: yaml_mark_t) {
    (line, column) = (Int(mark.line) + 1, Int(mark.column) + 1)
  }
}
