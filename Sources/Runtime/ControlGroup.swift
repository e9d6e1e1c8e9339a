/// The control groups of this process, which container engines and batch systems use to limit it.
package enum ControlGroup {
  private static let root = "/sys/fs/cgroup"

  /// The folders with the limits of a controller: that of the group of this process and of each group above
  /// it, since each of them limits the process.
  ///
  /// - Parameters:
  ///   - controller: such as `memory`. In v1 each has a tree of its own, in v2 there is one tree.
  ///   - lines: those of `/proc/self/cgroup`, `number:controllers:path`.
  package static func folders(_ controller: String, lines: [String]) -> (v2: [String], v1: [String])
  {
    var (v2, v1) = ([root], ["\(root)/\(controller)"])
    for line in lines {
      let parts = line.split(whereSeparator: \.isNewline).first?
        .split(separator: ":", maxSplits: 2, omittingEmptySubsequences: false)
      guard let parts, parts.count == 3 else { continue }
      if parts[0] == "0", parts[1].isEmpty {
        v2 = chain(root, parts[2])
      } else if parts[1].split(separator: ",").contains(Substring(controller)) {
        v1 = chain("\(root)/\(controller)", parts[2])
      }
    }
    return (v2, v1)
  }

  /// The folders from `root` down to `path`. In a container, the path can be that on the host, whose folders
  /// do not exist here; or it can lead out of the container, and then only the root is known.
  private static func chain(_ root: String, _ path: Substring) -> [String] {
    var folders = [root]
    for name in path.split(separator: "/") {
      if name == ".." { return [root] }
      folders.append("\(folders[folders.count - 1])/\(name)")
    }
    return folders
  }

  /// The lowest limit among the groups, or nil if there is none.
  ///
  /// - Parameters:
  ///   - files: the names of the files that hold the limit, which are read one after the other.
  ///   - limit: the limit that their lines state, or nil.
  static func lowest<Limit: Comparable>(
    _ controller: String, v2 files2: [String], v1 files1: [String], _ limit: ([String]) -> Limit?
  ) -> Limit? {
    let groups = folders(controller, lines: systemLines("/proc/self/cgroup"))
    let places = groups.v2.map { ($0, files2) } + groups.v1.map { ($0, files1) }
    return places.compactMap { folder, files in
      limit(files.flatMap { systemLines("\(folder)/\($0)") })
    }.min()
  }
}
