import Runtime
import Testing

@Suite("Allowed processors")
struct ProcessorsTests {
  @Test("a control group's quota is the quota divided by the period")
  func quota() {
    #expect(Processors.quota(["150000 100000"]) == 1.5)
    #expect(Processors.quota(["200000", "100000"]) == 2)
    #expect(Processors.quota(["50000 100000"]) == 0.5)
    #expect(Processors.quota(["max 100000"]) == nil)
    #expect(Processors.quota(["-1", "100000"]) == nil)
    #expect(Processors.quota([]) == nil)
  }

  @Test("the processors of an affinity mask are counted")
  func affinity() {
    #expect(Processors.affinity(status: ["Name:\tx", "Cpus_allowed:\tff,00000003\n"]) == 10)
    #expect(Processors.affinity(status: ["Cpus_allowed_list:\t0-3\n"]) == nil)
  }

  @Test("at least one processor is allowed")
  func allowed() {
    #expect(Processors.allowed >= 1)
  }
}
