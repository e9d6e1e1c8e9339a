/// Where images come from: numbered, of one size, as bytes with channels last.
package protocol ImageSource: Sendable {
  var count: Int { get }
  var height: Int { get }
  var width: Int { get }

  /// The pixels of some images, `[n, height, width, 3]`.
  func pixels(of indices: some Collection<Int32>) throws -> [UInt8]
}
