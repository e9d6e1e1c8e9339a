import Runtime
import Testing

@Suite("Memory, page faults and age of the process")
struct ProcessUsageTests {
  @Test("memory is read from the lines of /proc/self/status, in bytes")
  func status() {
    let memory = ProcessUsage.Memory(
      status: "Name:\tvqvae\nVmHWM:\t   91600 kB\nVmRSS:\t  70000 kB\nRssAnon:\t     144 kB\n")
    #expect(memory.anonymous == 144 * 1024)
    #expect(memory.peakResident == 91600 * 1024)
  }

  @Test(
    "a line that is missing or has another unit gives nil, not zero",
    arguments: [
      "", "RssAnonymous:\t1 kB\nHVmHWM:\t2 kB", "RssAnon:\nVmHWM:\t3 MB",
      "RssAnon:\tx kB\nVmHWM 4 kB",
    ])
  func unknown(_ status: String) {
    let memory = ProcessUsage.Memory(status: status)
    #expect(memory.anonymous == nil)
    #expect(memory.peakResident == nil)
  }

  @Test("memory and page faults grow when the process touches memory")
  func present() throws {
    let before = try #require(ProcessUsage.memory.anonymous)
    let faults = ProcessUsage.pageFaults
    let bytes = 64 << 20
    let block = UnsafeMutablePointer<UInt8>.allocate(capacity: bytes)
    defer { block.deallocate() }
    block.update(repeating: 1, count: bytes)
    let after = try #require(ProcessUsage.memory.anonymous)
    // Half, because tests that run at the same time may free memory.
    #expect(after - before > bytes / 2)
    // With huge pages, there is one fault per 2 MB.
    #expect(ProcessUsage.pageFaults - faults >= bytes >> 21)
    #expect(try #require(ProcessUsage.memory.peakResident) >= after)
  }

  @Test("the start is field 22, whatever the program's name")
  func startTicks() {
    let rest = (3...30).map(String.init).joined(separator: " ")
    #expect(ProcessUsage.startTicks("17 (vqvae) \(rest)") == 22)
    #expect(ProcessUsage.startTicks("17 (a b) 9) \(rest)") == 22)
    #expect(ProcessUsage.startTicks("17 (vqvae) 3 4 5") == nil)
    #expect(ProcessUsage.startTicks("") == nil)
  }

  @Test("the age grows with time")
  func age() throws {
    let before = try #require(ProcessUsage.age)
    let waited = ContinuousClock().measure {
      while let age = ProcessUsage.age, age < before + 0.05 {}
    }
    #expect(before > 0 && before < 86_400)
    #expect(waited >= .milliseconds(49) && waited < .seconds(5))
  }
}
