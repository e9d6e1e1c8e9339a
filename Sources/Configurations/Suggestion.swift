/// The candidate that a misspelled word most likely means: the nearest one by edit distance, if the distance
/// is less than 4 and at most half of the candidate's length.
package func suggestion(for word: String, among candidates: [String]) -> String? {
  // The difference in length bounds the distance from below, and is cheap even for a long word.
  let length = word.count
  let nearest = candidates.filter { abs($0.count - length) < 4 }
    .map { (name: $0, distance: editDistance(word, $0)) }
    .min { $0.distance < $1.distance }
  guard let nearest, nearest.distance < 4, nearest.distance * 2 <= nearest.name.count else {
    return nil
  }
  return nearest.name
}

/// The Levenshtein distance: the least number of insertions, deletions and replacements that turn one word
/// into the other.
func editDistance(_ a: String, _ b: String) -> Int {
  let b = Array(b)
  var row = Array(0...b.count)
  for (i, x) in a.enumerated() {
    var diagonal = row[0]
    row[0] = i + 1
    for (j, y) in b.enumerated() {
      let replaced = diagonal + (x == y ? 0 : 1)
      diagonal = row[j + 1]
      row[j + 1] = min(replaced, row[j] + 1, diagonal + 1)
    }
  }
  return row[b.count]
}
