/// An error for the user's eyes: what the program prints before it leaves with a status.
package protocol UserFacingError: Error, CustomStringConvertible {
  var status: ExitStatus { get }
}

extension Problem: UserFacingError {}
