/// A field of a progress line.
package struct ProgressField: Sendable {
  /// The text, from the longest form to the shortest.
  let forms: [String]
  /// Fields with a higher rank are left out first.
  let rank: Int

  package var long: String { forms[0] }

  /// - Parameter alone: a form shorter than `short`, used only if no other field fits.
  package init(_ long: String, short: String, alone: String? = nil, rank: Int) {
    forms = [long, short] + (alone.map { [$0] } ?? [])
    self.rank = rank
  }
}

/// The fields in their long forms; if these do not fit in `width` columns, in their short forms; and if
/// these do not fit either, without the fields of highest rank. No field is truncated.
package func progressLine(_ fields: [ProgressField], width: Int) -> String {
  let long = fields.map(\.forms[0]).joined(separator: "  ")
  if displayWidth(long) <= width { return long }
  var kept = fields
  while !kept.isEmpty {
    let short = kept.map(\.forms[1]).joined(separator: " ")
    if displayWidth(short) <= width { return short }
    if kept.count == 1 { break }
    let last = kept.indices.max { kept[$0].rank < kept[$1].rank }!
    kept.remove(at: last)
  }
  return kept.first?.forms.first { displayWidth($0) <= width } ?? ""
}
