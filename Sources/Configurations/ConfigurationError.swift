import Diagnostics
import Files

/// All faults of a configuration.
package struct ConfigurationError: UserFacingError, Equatable {
  /// A fault and its position.
  package struct Fault: Sendable, Equatable {
    /// `file:line:column`, or the flag.
    package let place: String
    package let message: String

    package init(place: String, message: String) {
      self.place = place
      self.message = message
    }
  }

  package let faults: [Fault]
  package var status: ExitStatus { .badConfiguration }

  package init(_ faults: [Fault]) { self.faults = faults }

  /// The largest number of faults that are listed; nobody reads more at once.
  static let maximumListed = 20

  package var description: String {
    var lines = faults.prefix(Self.maximumListed).map { "\($0.place): error: \($0.message)" }
    if faults.count > Self.maximumListed {
      lines.append("and \(faults.count - Self.maximumListed) more")
    }
    let count = faults.count == 1 ? "1 error" : "\(faults.count) errors"
    return (lines + ["\(count) in the configuration"]).joined(separator: "\n")
  }
}
