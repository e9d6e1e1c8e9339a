/// The candidate that a mistyped word most likely means: the one at the least edit distance below 4,
/// and below half of its length.
package func suggestion(for word: String, among candidates: [String]) -> String? {
  // A difference in length is a distance, and costs nothing for a long word.
  let length = word.count
  let nearest = candidates.filter { abs($0.count - length) < 4 }
    .map { (name: $0, distance: editDistance(word, $0)) }
    .min { $0.distance < $1.distance }
  guard let nearest, nearest.distance < 4, nearest.distance * 2 <= nearest.name.count else {
    return nil
  }
  return nearest.name
}

/// How many insertions, deletions and replacements lead from one word to the other (Levenshtein).
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
