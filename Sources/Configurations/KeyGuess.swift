import Diagnostics

/// Finds the field that an unknown key probably means.
struct KeyGuess {
  private let fields: [String]
  private let sections: [String]
  /// The fields by their last words, except for words that several fields have.
  private let words: [String: String]
  /// How many unknown keys a guess was made for.
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

  /// The end of a message about an unknown key; empty without a guess.
  mutating func text(for key: String) -> String {
    // A comparison with all fields is slow, and a message that is not listed needs no guess.
    count += 1
    guard count <= ConfigurationError.maximumListed else { return "" }
    if let hint = hint(for: key) { return hint }
    // Within a section no other section is meant.
    let candidates = fields + (key.contains(".") ? [] : sections)
    // A key in the wrong section is found by its last word.
    let guess =
      suggestion(for: key, among: candidates)
      ?? fields.first { $0.hasSuffix("." + Self.lastWord(key)) }
    return guess.map { "; did you mean \($0)?" } ?? ""
  }

  /// The field that a key's last word means in any section: a word that other programs use, or one that a single
  /// section of ours has.
  func hint(for key: String) -> String? {
    let word = Self.lastWord(key)
    if let hint = FieldHint.find(word) { return hint.text }
    return words[FieldHint.squeezed(word)].map { "; did you mean \($0)?" }
  }
}
