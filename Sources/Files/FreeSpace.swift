import Diagnostics
import Glibc

/// The bytes that this user can still write to the file system of a folder. Throws if the system cannot tell.
package func freeSpace(in folder: String) throws -> Int {
  var status = statvfs()
  guard retryingInterrupts({ statvfs(folder, &status) }) == 0 else {
    throw Problem.opening(folder)
  }
  let (bytes, isOverflow) = Int(clamping: status.f_bavail)
    .multipliedReportingOverflow(by: Int(clamping: status.f_frsize))
  return isOverflow ? .max : bytes
}

/// Throws if this process may not create files in a folder: permissions, or a file system that is read-only.
package func requireWritable(_ folder: String) throws {
  guard access(folder, W_OK | X_OK) == 0 else {
    throw Problem.creating(folder, "nothing can be created here")
  }
}
