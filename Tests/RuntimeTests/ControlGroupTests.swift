import Runtime
import Testing

@Suite("Control groups and types of processors")
struct ControlGroupTests {
  @Test("in v2 the group of the process and all above it count")
  func unified() {
    let folders = ControlGroup.folders("cpu", lines: ["0::/a.slice/b.scope\n"])
    #expect(
      folders.v2 == [
        "/sys/fs/cgroup", "/sys/fs/cgroup/a.slice", "/sys/fs/cgroup/a.slice/b.scope",
      ])
    #expect(folders.v1 == ["/sys/fs/cgroup/cpu"])
  }

  @Test("in v1 the tree of the controller counts, alone or with others")
  func separate() {
    let lines = ["4:memory:/docker/1\n", "3:cpu,cpuacct:/\n", "0::/x\n"]
    #expect(
      ControlGroup.folders("memory", lines: lines).v1 == [
        "/sys/fs/cgroup/memory", "/sys/fs/cgroup/memory/docker", "/sys/fs/cgroup/memory/docker/1",
      ])
    #expect(ControlGroup.folders("cpu", lines: lines).v1 == ["/sys/fs/cgroup/cpu"])
  }

  @Test("a path out of the container, or lines without a path, leave the root")
  func unknown() {
    for lines in [[], ["0::/../other\n"], ["x\n"], ["0::/\n"]] {
      let folders = ControlGroup.folders("cpu", lines: lines)
      #expect(folders.v2 == ["/sys/fs/cgroup"])
    }
  }

  @Test("sockets and cores are counted once")
  func cpuinfo() {
    func processor(_ socket: Int, _ core: Int) -> [String] {
      [
        "model name\t: A CPU: fast\n", "physical id\t: \(socket)\n", "core id\t: \(core)\n",
        "flags\t\t: fpu avx2", " fma\n", "\n",
      ]
    }
    let model = ProcessorModel(
      cpuinfo: processor(0, 0) + processor(0, 0) + processor(0, 1) + processor(1, 0))
    #expect(model.name == "A CPU: fast")
    #expect(model.sockets == 2)
    #expect(model.cores == 3)
    #expect(model.features == ["fpu", "avx2", "fma"])
  }

  @Test("what the system does not say is nil")
  func arm() {
    let model = ProcessorModel(cpuinfo: ["processor\t: 0\n", "Features\t: fp asimd\n"])
    #expect(model.name == nil && model.sockets == nil && model.cores == nil)
    #expect(model.features == ["fp", "asimd"])
    #expect(ProcessorModel(cpuinfo: []).features.isEmpty)
  }
}
