import Diagnostics

/// Finds the field that an unknown key probably means.
struct KeyGuess {
  private let fields: [String]
  private let sections: [String]
  /// The fields by their last words, without words that several fields share.
  private let words: [String: String]
  /// The number of unknown keys so far.
  private var count = 0

  /// - Parameters:
  ///   - fields: the names of all fields, such as `training.steps`.
  ///   - sections: the names of all sections.
  init(fields: [String], sections: [String]) {
    self.fields = fields
    self.sections = sections
    words = Dictionary(grouping: fields) { FieldHint.squeezed(Self.lastWord($0)) }
      .compactMapValues { $0.count == 1 ? $0[0] : nil }
  }

  private static func lastWord(_ key: String) -> String {
    key.split(separator: ".").last.map(String.init) ?? key
  }

  /// The end of a message about an unknown key; empty if there is no guess.
  mutating func text(for key: String) -> String {
    // Comparing with all fields is slow, and a message that is not listed needs no guess.
    count += 1
    guard count <= ConfigurationError.maximumListed else { return "" }
    if let hint = hint(for: key) { return hint }
    // A key inside a section does not mean another section.
    let candidates = fields + (key.contains(".") ? [] : sections)
    // A key in the wrong section is found by its last word.
    let guess =
      suggestion(for: key, among: candidates)
      ?? fields.first { $0.hasSuffix("." + Self.lastWord(key)) }
    return guess.map { "; did you mean \($0)?" } ?? ""
  }

  /// The hint for a key's last word, whatever its section: a word that other programs use, or one that
  /// occurs in a single section here.
  func hint(for key: String) -> String? {
    let word = Self.lastWord(key)
    if let hint = FieldHint.find(word) { return hint.text }
    return words[FieldHint.squeezed(word)].map { "; did you mean \($0)?" }
  }
}
