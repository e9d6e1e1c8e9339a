/// The extents of a tensor, outermost first.
package struct Shape: Hashable, Sendable, ExpressibleByArrayLiteral, CustomStringConvertible {
  package let extents: [Int]

  /// The number of elements: the product of the extents, 1 for a scalar `[]`.
  package let count: Int

  package init(_ extents: [Int]) {
    precondition(extents.allSatisfy { $0 >= 0 }, "a shape has a negative extent: \(extents)")
    self.extents = extents
    count = extents.reduce(1, *)
  }

  package init(arrayLiteral extents: Int...) { self.init(extents) }

  package var rank: Int { extents.count }

  package subscript(axis: Int) -> Int { extents[axis] }

  /// The last extent: channels, or the width of a row.
  package var width: Int {
    precondition(rank > 0, "a scalar has no last extent")
    return extents[rank - 1]
  }

  /// The number of rows: the product of all extents but the last.
  package var rows: Int { extents.dropLast().reduce(1, *) }

  package var description: String { "[" + extents.map(String.init).joined(separator: ", ") + "]" }
}
