import Glibc

/// A limit of the process, which a shell sets with `ulimit`.
package enum ResourceLimit: Sendable {
  /// All mappings (`ulimit -v`).
  case addressSpace
  /// Private writable mappings (`ulimit -d`).
  case data
  /// The size of a file that is written (`ulimit -f`).
  case fileSize

  /// In bytes, or nil if there is no limit.
  package var bytes: Int? {
    let resource =
      switch self {
      case .addressSpace: RLIMIT_AS
      case .data: RLIMIT_DATA
      case .fileSize: RLIMIT_FSIZE
      }
    var limit = rlimit()
    guard getrlimit(__rlimit_resource_t(resource.rawValue), &limit) == 0,
      limit.rlim_cur < UInt64(Int.max)
    else { return nil }
    return Int(limit.rlim_cur)
  }
}
