import Autoencoders
import Datasets
import Options
import Quantizers

/// Everything that a training run depends on: sections, each of a kind and its options or of fields alone.
///
/// Names, ranges, defaults and meanings are declared where the options are, and come together in
/// ``fields``.
package struct Configuration: FieldOptions, Equatable {
  package var seed: UInt64 = 1
  package var data = DataSection()
  package var model = ModelSection()
  package var quantizer = QuantizerSection()
  package var training = TrainingOptions()
  package var output = OutputOptions()

  package init() {}

  /// All fields in the order of a file, with dotted names.
  package static let fields: [Field<Configuration>] =
    [.natural("seed", \.seed, "fixes weights, codebook, order and synthetic images")]
    + DataSection.fields.lifted(to: \.data, prefix: "data")
    + ModelSection.fields.lifted(to: \.model, prefix: "model")
    + QuantizerSection.fields.lifted(to: \.quantizer, prefix: "quantizer")
    + TrainingOptions.fields.lifted(to: \.training, prefix: "training")
    + OutputOptions.fields.lifted(to: \.output, prefix: "output")

  /// What no field can check alone.
  ///
  /// - Parameter isWhole: whether it is that of a run, and not the one of a checkpoint, which has neither
  ///   paths nor the number of steps.
  func faults(isWhole: Bool) -> [FieldFault] {
    let ofData = [isWhole ? data.missing : nil, data.fault].compactMap(\.self)
    let ofModel = [model.fault].compactMap(\.self)
    let ofQuantizer = [quantizer.fault].compactMap(\.self)
    return ofData.map { $0.lifted(prefix: "data") }
      + ofModel.map { $0.lifted(prefix: "model") }
      + ofQuantizer.map { $0.lifted(prefix: "quantizer") }
      + training.faults(knowsSteps: isWhole).map { $0.lifted(prefix: "training") }
  }

  /// Fills in what depends on other fields, so that a saved configuration shows all choices.
  func completed(fileName: String) -> Configuration {
    var result = self
    result.quantizer = quantizer.completed(from: model.codebookDefaults)
    if output.folder == nil {
      let name = fileName.split(separator: "/").last ?? "run"
      let stem = name.lastIndex(of: ".").map { name[..<$0] } ?? name
      result.output.folder = "runs/" + (stem.isEmpty ? "run" : stem)
    }
    return result
  }

  /// The run folder of a configuration that has been read.
  package var outputFolder: String {
    guard let folder = output.folder else {
      preconditionFailure("a configuration is completed when it is read")
    }
    return folder
  }
}

/// The section `output`.
package struct OutputOptions: FieldOptions, Equatable {
  /// If nil, `runs/` and the name of the configuration's file.
  package var folder: String?

  package init() {}

  package static var fields: [Field<Self>] {
    [.path("folder", \.folder, "the run folder; by default runs/ and the file's name")]
  }
}
