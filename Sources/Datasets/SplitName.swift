/// A part of a data set.
package enum SplitName: String, CaseIterable, Sendable {
  case train, validation, test
}
