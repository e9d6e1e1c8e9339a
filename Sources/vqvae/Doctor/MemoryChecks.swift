import Diagnostics
import Files
import Runtime
import TerminalText

/// Memory, limits, and space on the disk.
extension Checks {
  /// What one thread and a small model need, in bytes: OpenBLAS maps 128 MiB for each thread.
  private static let least = 256_000_000
  /// What the configurations that come with the program need, on a few threads.
  private static let comfortable = 1_000_000_000
  /// A checkpoint of the demo has 2.4 MB.
  private static let smallestCheckpoint = 4_000_000

  static var hasRoomForOneThread: Bool { AvailableMemory.bytes >= least }

  static func memory() -> Finding {
    let (machine, group) = (AvailableMemory.machine, AvailableMemory.groupLimit)
    let value =
      [
        machine.map { "\(byteCount($0.total)), \(byteCount($0.available)) available" },
        group.map { "control group's limit \(byteCount($0))" },
      ].compactMap(\.self).joined(separator: ", ")
    guard let least = [machine?.available, group].compactMap(\.self).min() else {
      return .ok("unknown, no limit found")
    }
    return room(
      least, value, advice: "Stop other programs, or raise the limit of the container or batch job."
    )
  }

  /// Limits on the address space, data and the size of files.
  static func limits() -> Finding {
    let space = [("ulimit -v", AvailableMemory.addressSpace), ("ulimit -d", AvailableMemory.data)]
    for (name, limit) in space {
      guard let limit, limit.left < comfortable else { continue }
      return room(
        limit.left,
        "\(name) allows \(byteCount(limit.limit)), of which \(byteCount(limit.left)) is left",
        advice: "\(name) unlimited, in the shell that starts vqvae.")
    }
    let advice =
      "ulimit -f unlimited, in the shell that starts vqvae: a checkpoint has 2 MB to some hundred MB."
    switch ResourceLimit.fileSize.bytes {
    case let limit? where limit < smallestCheckpoint:
      return .fault(.inputOutput, "ulimit -f allows files of \(byteCount(limit))", advice: advice)
    case let limit? where limit < comfortable:
      return .warning("ulimit -f allows files of \(byteCount(limit))", advice: advice)
    default: return .ok("none that matters (ulimit -v, -d and -f)")
    }
  }

  private static func room(_ bytes: Int, _ value: String, advice: String) -> Finding {
    if bytes < least {
      return .fault(
        .outOfMemory, "\(value): a small model needs \(byteCount(least))", advice: advice)
    }
    if bytes < comfortable {
      return .warning("\(value): enough for small models on few threads", advice: advice)
    }
    return .ok(value)
  }

  /// The folder in which a run is created if no other is named.
  static func folder() throws -> Finding {
    let place = try isFolder("runs") ? "runs" : "."
    let shown = place == "." ? "the current folder" : "runs"
    let another = "Change to another folder, or name one with train --run FOLDER."
    do { try requireWritable(place) } catch let problem as Problem {
      return .fault(
        Problem(problem.status, shown, found: problem.found, advice: another))
    }
    let free = try freeSpace(in: place)
    let value = "\(shown) can be written, \(byteCount(free)) free"
    if free < 4 * smallestCheckpoint { return .fault(.inputOutput, value, advice: another) }
    if free < comfortable { return .warning(value, advice: another) }
    return .ok(value)
  }
}
