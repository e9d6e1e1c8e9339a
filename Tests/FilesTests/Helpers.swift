import Files
import Foundation
import TestSupport
import Testing

/// Lends a fresh folder to what runs asynchronously, as exit tests do.
func withFolderAsync(_ body: (String) async throws -> Void) async throws {
  let path = "/tmp/vqvae-test-\(UUID().uuidString)"
  try createFolder(path)
  defer { try? FileManager.default.removeItem(atPath: path) }
  try await body(path)
}

/// The names in a folder, hidden ones too: what a failed write would leave.
func names(in folder: String) throws -> [String] {
  try FileManager.default.contentsOfDirectory(atPath: folder).sorted()
}

/// The bytes of a safetensors file, put together without the writer.
func safetensorsBytes(header: String, dataCount: Int = 0) -> [UInt8] {
  littleEndian(UInt64(header.utf8.count)) + Array(header.utf8)
    + Array(repeating: 0, count: dataCount)
}

func littleEndian(_ number: UInt64) -> [UInt8] {
  (0..<8).map { UInt8(truncatingIfNeeded: number >> (8 * $0)) }
}
