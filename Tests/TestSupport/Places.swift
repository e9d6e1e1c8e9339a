import Diagnostics
import Files
import Foundation

/// The folder `Tests` of the source tree.
package let testsFolder = folder(of: folder(of: #filePath))

/// The root of the source tree.
package let packageFolder = folder(of: testsFolder)

/// A folder of real CIFAR-10 batches beside the source tree, or nil if there is none.
package let realImages: String? = {
  let path = folder(of: packageFolder) + "/shared/cifar10/official-head"
  return (try? fileExists(path + "/data_batch_1.bin")) == true ? path : nil
}()

private func folder(of path: String) -> String {
  path.split(separator: "/").dropLast().reduce("") { $0 + "/" + $1 }
}

/// Runs `body` with a fresh folder, then removes the folder and its contents.
@discardableResult
package func withTemporaryFolder<Result>(_ body: (String) throws -> Result) throws -> Result {
  var template = Array("/tmp/vqvae-test-XXXXXX".utf8CString)
  guard mkdtemp(&template) != nil else {
    throw Problem(.cannotCreate, "/tmp", found: "mkdtemp failed")
  }
  let path = String(decoding: template.dropLast().map { UInt8(bitPattern: $0) }, as: UTF8.self)
  defer { try? FileManager.default.removeItem(atPath: path) }
  return try body(path)
}

/// The bytes of a file.
package func contents(of path: String) throws -> [UInt8] {
  let file = try InputFile(path)
  return try file.bytes(at: 0, count: file.size)
}

/// Writes a file, replacing an existing one.
package func write(_ bytes: [UInt8], to path: String) throws {
  try AtomicFile.write(path) { try $0.append(bytes) }
}
