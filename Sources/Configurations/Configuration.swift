import Autoencoders
import Datasets
import Options
import Quantizers

/// Everything that a training run depends on, in sections. A section has a kind with its options, or only
/// fields.
///
/// Names, ranges, defaults and meanings are declared with the options, and collected in ``fields``.
package struct Configuration: FieldOptions, Equatable {
  package var seed: UInt64 = 1
  package var data = DataSection()
  package var model = ModelSection()
  package var quantizer = QuantizerSection()
  package var training = TrainingOptions()
  package var output = OutputOptions()

  package init() {}

  /// All fields with dotted names, in the order in which a file lists them.
  package static let fields: [Field<Configuration>] =
    [.natural("seed", \.seed, "fixes weights, codebook, order and synthetic images")]
    + DataSection.fields.lifted(to: \.data, prefix: "data")
    + ModelSection.fields.lifted(to: \.model, prefix: "model")
    + QuantizerSection.fields.lifted(to: \.quantizer, prefix: "quantizer")
    + TrainingOptions.fields.lifted(to: \.training, prefix: "training")
    + OutputOptions.fields.lifted(to: \.output, prefix: "output")

  /// Faults that involve several fields.
  ///
  /// - Parameter isWhole: whether the configuration belongs to a run. That of a checkpoint lacks paths, and
  ///   the number of steps unless the learning rate depends on it.
  func faults(isWhole: Bool) -> [FieldFault] {
    let ofData = [isWhole ? data.missing : nil, data.fault].compactMap(\.self)
    let ofModel = [model.fault].compactMap(\.self)
    let ofQuantizer = [quantizer.fault].compactMap(\.self)
    return ofData.map { $0.lifted(prefix: "data") }
      + ofModel.map { $0.lifted(prefix: "model") }
      + ofQuantizer.map { $0.lifted(prefix: "quantizer") }
      + training.faults(knowsSteps: isWhole).map { $0.lifted(prefix: "training") }
  }

  /// Fills in the defaults that depend on other fields, so that a saved configuration shows all choices.
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

  /// The run folder. Only valid for a configuration that has been read, which fills it in.
  package var outputFolder: String {
    guard let folder = output.folder else {
      preconditionFailure("a configuration is completed when it is read")
    }
    return folder
  }
}

/// The section `output`.
package struct OutputOptions: FieldOptions, Equatable {
  /// If nil, `runs/` followed by the name of the configuration's file without its extension.
  package var folder: String?

  package init() {}

  package static var fields: [Field<Self>] {
    [.path("folder", \.folder, "the run folder; by default runs/ and the file's name")]
  }
}
