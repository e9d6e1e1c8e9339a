/// An error for the user. The program prints its description and exits with its status.
package protocol UserFacingError: Error, CustomStringConvertible {
  var status: ExitStatus { get }
}

extension Problem: UserFacingError {}
