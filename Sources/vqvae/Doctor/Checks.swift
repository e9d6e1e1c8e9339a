/// The checks of `doctor`. A new one is a function that returns a ``Finding``, and a line here.
///
/// Those that concern every command come first, since the exit code is that of the first fault.
enum Checks {
  /// - Parameter data: a folder of images to check, or nil.
  static func all(data: String?) -> [Check] {
    [
      Check("memory", memory),
      Check("limits", limits),
      Check("processor", processor),
      Check("kernels", kernels),
      Check("OpenBLAS", openBLAS),
      Check("threads", threads),
      Check("folder", folder),
      Check("terminal", terminal),
      Check("environment", environment),
    ] + (data.map { data in [Check("data") { try images(data) }] } ?? [])
  }
}
