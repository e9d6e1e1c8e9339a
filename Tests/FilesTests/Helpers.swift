import Files
import Foundation
import TestSupport
import Testing

/// Runs an asynchronous body, such as an exit test, with a fresh folder, and removes the folder.
func withFolderAsync(_ body: (String) async throws -> Void) async throws {
  let path = "/tmp/vqvae-test-\(UUID().uuidString)"
  try createFolder(path)
  defer { try? FileManager.default.removeItem(atPath: path) }
  try await body(path)
}

/// The sorted names in a folder, including hidden ones such as the temporary file of a failed write.
func names(in folder: String) throws -> [String] {
  try FileManager.default.contentsOfDirectory(atPath: folder).sorted()
}

/// The bytes of a safetensors file, built without our writer. The data is zero.
func safetensorsBytes(header: String, dataCount: Int = 0) -> [UInt8] {
  littleEndian(UInt64(header.utf8.count)) + Array(header.utf8)
    + Array(repeating: 0, count: dataCount)
}

func littleEndian(_ number: UInt64) -> [UInt8] {
  (0..<8).map { UInt8(truncatingIfNeeded: number >> (8 * $0)) }
}
