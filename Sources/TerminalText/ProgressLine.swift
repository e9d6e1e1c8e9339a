/// A part of a line of progress.
package struct ProgressField: Sendable {
  /// What it says, from the longest form to the shortest.
  let forms: [String]
  /// How much it matters: fields with higher ranks are left out first.
  let rank: Int

  package var long: String { forms[0] }

  /// - Parameter alone: a form that does only where nothing else has room.
  package init(_ long: String, short: String, alone: String? = nil, rank: Int) {
    forms = [long, short] + (alone.map { [$0] } ?? [])
    self.rank = rank
  }
}

/// The fields in their long forms; in their short forms where those do not fit in `width` columns; and
/// else without the fields that matter least. No field is ever cut.
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
