import Datasets
import TestSupport
import Testing

@Suite("Fingerprints of data sets")
struct FingerprintTests {
  private func digest(_ records: [[UInt8]]) -> String {
    var fingerprint = Fingerprint()
    for record in records { record.withUnsafeBytes { fingerprint.add($0) } }
    return fingerprint.digest
  }

  @Test("a fingerprint depends on every bit, on the order of records and on their boundaries")
  func sensitivity() {
    var generator = TestGenerator(state: 1)
    let records = (0..<5).map { _ in
      (0..<77).map { _ in UInt8(truncatingIfNeeded: generator.next()) }
    }
    let original = digest(records)
    var seen: Set = [original]
    for record in records.indices {
      for byte in records[record].indices {
        for bit in 0..<8 {
          var changed = records
          changed[record][byte] ^= 1 << bit
          seen.insert(digest(changed))
        }
      }
    }
    seen.insert(digest(records.reversed()))
    seen.insert(digest([records.flatMap(\.self)]))
    seen.insert(digest(records + [[]]))
    seen.insert(digest([]))
    #expect(seen.count == 1 + 5 * 77 * 8 + 4)
    #expect(digest(records) == original)
    #expect(original.count == 16)
  }

  @Test("swapping two images changes the fingerprint but not the moments")
  func swapped() throws {
    try withTemporaryFolder { folder in
      let summaries = try [[0, 1, 2], [1, 0, 2]].map { order in
        try write(order.flatMap { record($0) }, to: folder + "/a.bin")
        return try CIFAR10(folder: folder, files: ["a.bin"]).scan { _ in true }
      }
      #expect(summaries[0].moments == summaries[1].moments)
      #expect(summaries[0].fingerprint.digest != summaries[1].fingerprint.digest)
    }
  }
}
