import Autoencoders
import Configurations
import Diagnostics
import Files
import Foundation
import Glibc
import Models
import Tensors
import TestSupport
import Testing
import Training

/// From which checkpoint a run is resumed, and that no better one is lost.
@Suite("The checkpoint that is resumed")
struct RunStartTests {
  /// A run of 6 steps with its best of step 3 or later, and one whose files are to be damaged.
  private func withRun(_ body: (RunFolder, RunFolder, Configuration) throws -> Void) throws {
    let configuration = try smallConfiguration(
      "training.validate_every=3", "training.checkpoint_every=2")
    try withTemporaryFolder { folder in
      let whole = try train(configuration, in: "\(folder)/whole")
      let run = try train(configuration, in: "\(folder)/run")
      var resumed = configuration
      resumed.output.folder = run.path
      try body(run, whole, resumed)
    }
  }

  private func expectSame(_ run: RunFolder, _ whole: RunFolder) throws {
    #expect(try contents(of: run.last) == contents(of: whole.last))
    #expect(try contents(of: run.best) == contents(of: whole.best))
    #expect(try steps(run) == steps(whole))
  }

  private func steps(_ run: RunFolder) throws -> [Substring] {
    try readText(run.metrics, limit: 1 << 20).split(separator: "\n")
      .map { $0.replacing(/"imagesPerSecond":[^,]*,/, with: "")[...] }
  }

  @Test("without last, the run is resumed from best, with a note")
  func missingLast() throws {
    try withRun { run, whole, configuration in
      try remove(run.last)
      let start = try RunStart<VQVAE>(resuming: configuration)
      #expect(start.notes == ["\(run.last) is missing: resuming from \(run.best)"])
      try resume(start)
      try expectSame(run, whole)
    }
  }

  @Test("a damaged last is moved aside, and the run is resumed from best", arguments: [0, 5000])
  func damagedLast(size: Int) throws {
    try withRun { run, whole, configuration in
      #expect(truncate(run.last, off_t(size)) == 0)
      let start = try RunStart<VQVAE>(resuming: configuration)
      #expect(start.notes.first?.contains("resuming from \(run.best)") == true)
      try resume(start)
      try expectSame(run, whole)
      #expect(try contents(of: run.last + ".old-1").count == size)
    }
  }

  @Test("a damaged best is moved aside, and the run is resumed from last")
  func damagedBest() throws {
    try withRun { run, whole, configuration in
      try write([1, 2, 3], to: run.best)
      let start = try RunStart<VQVAE>(resuming: configuration)
      #expect(start.notes.first?.contains(run.best) == true)
      try resume(start)
      #expect(try contents(of: run.last) == contents(of: whole.last))
      #expect(try contents(of: run.best + ".old-1") == [1, 2, 3])
    }
  }

  @Test("without a valid checkpoint, damaged ones are an error, and nothing changes")
  func nothingGood() throws {
    try withRun { run, _, configuration in
      try write([], to: run.last)
      try remove(run.best)
      let metrics = try contents(of: run.metrics)
      let problem = try #require(throws: Problem.self) {
        try RunStart<VQVAE>(resuming: configuration)
      }
      #expect(problem.status == .badData && problem.subject == run.last)
      #expect(problem.advice?.contains("again from step 0") == true)
      #expect(try contents(of: run.metrics) == metrics)
    }
  }

  @Test(
    "a checkpoint that cannot be read is an error, since it may be valid",
    arguments: ["last", "best"])
  func unreadable(name: String) throws {
    try withRun { run, _, configuration in
      let path = "\(run.checkpoints)/\(name).safetensors"
      try remove(path)
      // A link to itself: ELOOP, for root too.
      #expect(symlink(path, path) == 0)
      let metrics = try contents(of: run.metrics)
      let problem = try #require(throws: Problem.self) {
        try RunStart<VQVAE>(resuming: configuration)
      }
      #expect(problem.subject == path)
      #expect(problem.found.contains("symbolic links"))
      #expect(try contents(of: run.metrics) == metrics)
    }
  }

  @Test("of two valid checkpoints the later one is resumed")
  func laterBest() throws {
    try withRun { run, whole, configuration in
      // As after a kill between the validation of step 3 and the next regular checkpoint.
      var early = configuration
      early.training.steps = 2
      early.output.folder = run.path + "-early"
      let earlier = try train(early, in: run.path + "-early")
      try FileManager.default.removeItem(atPath: run.last)
      try FileManager.default.copyItem(atPath: earlier.last, toPath: run.last)
      let start = try RunStart<VQVAE>(resuming: configuration)
      #expect(start.notes.first?.contains("which is later than \(run.last) (step 2)") == true)
      try resume(start)
      try expectSame(run, whole)
    }
  }

  /// The state of `last` does not know of a better model that is on the disk, as after a run that was
  /// resumed without validations.
  @Test("a worse model does not replace a better one that is on the disk")
  func betterBest() throws {
    try withRun { run, _, configuration in
      try rewrite(run.last) { $0["vqvae.best"] = nil }
      try rewrite(run.best) {
        $0["vqvae.best"] = "1e-06"
        $0["vqvae.step"] = "3"
      }
      let best = try contents(of: run.best)
      var more = configuration
      more.training.steps = 9
      more.training.validateEvery = 1
      var validations: [Bool] = []
      var resumed = try TrainingRun<VQVAE>(RunStart<VQVAE>(resuming: more), threads: 2)
      _ = try resumed.run { event in
        if case .validation(_, _, let isBest) = event { validations.append(isBest) }
      }
      #expect(validations.count == 3 && !validations.contains(true))
      #expect(try contents(of: run.best) == best)
      #expect(try Checkpoint<VQVAE>(run.last).state.step == 9)
    }
  }

  /// Changes the metadata of a checkpoint.
  private func rewrite(_ path: String, _ change: (inout [String: String]) -> Void) throws {
    let file = try SafetensorsFile(path)
    var metadata = file.metadata
    change(&metadata)
    let items = try file.entries.map {
      Safetensors.Item(name: $0.key, shape: $0.value.shape, elements: try file.elements($0.key))
    }
    try Safetensors.write(path, metadata: metadata, items: items)
  }

  @Test("a log that is deleted during a run is created again, with a note")
  func deletedLog() throws {
    try withRun { run, whole, configuration in
      try remove(run.last)
      try remove(run.best)
      var notes: [String] = []
      var resumed = try TrainingRun<VQVAE>(RunStart<VQVAE>(resuming: configuration), threads: 2)
      _ = try resumed.run { event in
        switch event {
        case .step(3, _, _): try remove(run.metrics)
        case .note(let text): notes.append(text)
        default: break
        }
      }
      #expect(notes.count == 1 && notes[0].contains("\(run.metrics) was deleted or replaced"))
      #expect(try contents(of: run.last) == contents(of: whole.last))
      #expect(try steps(run).last == steps(whole).last)
    }
  }

  @Test("a best of another run is moved aside")
  func foreignBest() throws {
    try withRun { run, _, configuration in
      let other = try train(
        smallConfiguration("seed=9", "training.validate_every=3"), in: run.path + "-9")
      try FileManager.default.removeItem(atPath: run.best)
      try FileManager.default.copyItem(atPath: other.best, toPath: run.best)
      let start = try RunStart<VQVAE>(resuming: configuration)
      #expect(start.notes.first?.contains("belongs to another run") == true)
    }
  }

  @Test("without a checkpoint the run starts at step 0, with a note")
  func neither() throws {
    try withRun { run, whole, configuration in
      try remove(run.last)
      try remove(run.best)
      let start = try RunStart<VQVAE>(resuming: configuration)
      #expect(start.notes == ["no checkpoint was saved before: the run starts again at step 0"])
      try resume(start)
      try expectSame(run, whole)
    }
  }

  @Test("a state that is not finite is not saved, and the last checkpoint is kept")
  func invalidState() throws {
    try withRun { run, _, configuration in
      let file = try SafetensorsFile(run.last)
      let items = try file.entries.map { name, entry in
        let isMoment = name == "optimizer.first_moment.decoder.conv1.bias"
        let elements = try file.elements(name)
        return Safetensors.Item(
          name: name, shape: entry.shape,
          elements: isMoment ? elements.map { _ in 3e38 } : elements)
      }
      try Safetensors.write(run.last, metadata: file.metadata, items: items)
      try remove(run.best)
      let before = try contents(of: run.last)
      var more = configuration
      more.training.steps = 12
      let problem = try #require(throws: Problem.self) {
        try resume(try RunStart<VQVAE>(resuming: more))
      }
      #expect(problem.status == .diverged)
      #expect(problem.advice?.contains("--init-from") == true)
      #expect(try contents(of: run.last) == before)
    }
  }

  // MARK: The log

  @Test(
    "a run is resumed whatever the damage of its log",
    arguments: ["invalid", "nul", "torn", "folder", "empty", "gone"])
  func damagedLog(kind: String) throws {
    try withRun { run, whole, configuration in
      try remove(run.last)
      let text = try contents(of: run.metrics)
      switch kind {
      case "invalid": try write(text + [0xFF, 0x0A], to: run.metrics)
      case "nul": try write(text + Array(repeating: 0, count: 5000), to: run.metrics)
      case "torn": try write(text + Array("{\"step\":7,\"nm".utf8), to: run.metrics)
      case "folder":
        try remove(run.metrics)
        try createFolder(run.metrics)
      case "empty": try write([], to: run.metrics)
      default: try remove(run.metrics)
      }
      try resume(try RunStart<VQVAE>(resuming: configuration))
      #expect(try contents(of: run.last) == contents(of: whole.last))
      for line in try readText(run.metrics, limit: 1 << 20).split(separator: "\n") {
        _ = try JSONSerialization.jsonObject(with: Data(line.utf8))
      }
    }
  }

  @Test("lines of other programs are kept, and missing steps are noted")
  func foreignLines() throws {
    try withRun { run, _, configuration in
      try remove(run.last)
      var lines = try readText(run.metrics, limit: 1 << 20).split(separator: "\n").map(String.init)
      lines.remove(at: 1)
      lines.insert("{\"note\":\"a comment\"}", at: 0)
      lines.append("# half a thought")
      try write(Array(lines.joined(separator: "\n").utf8), to: run.metrics)
      let notes = try resume(try RunStart<VQVAE>(resuming: configuration))
      #expect(notes.contains("\(run.metrics) has no line for step 2"), "\(notes)")
      let kept = try readText(run.metrics, limit: 1 << 20).split(separator: "\n")
      #expect(kept.first == "{\"note\":\"a comment\"}")
      #expect(kept.contains("# half a thought"))
    }
  }

  // MARK: Helpers

  @discardableResult
  private func resume(_ start: RunStart<VQVAE>) throws -> [String] {
    var run = try TrainingRun<VQVAE>(start, threads: 2)
    _ = try run.run()
    return run.notes
  }

  private func remove(_ path: String) throws { try FileManager.default.removeItem(atPath: path) }
}
