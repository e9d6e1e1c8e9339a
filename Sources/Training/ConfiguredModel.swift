import Configurations
import NN

/// A model that a configuration describes, together with its data. A run is generic over it, so another type
/// of model is a conformance in another module.
package protocol ConfiguredModel: TrainableModel {
  associatedtype Data: Examples<Batch>
  /// What is known of the data without having it open.
  associatedtype Facts: DataFacts

  /// The name of the type of model in checkpoints, such as `vqvae`.
  static var typeName: String { get }

  /// Builds the model.
  ///
  /// - Throws: ``Problem`` if the model cannot take such data.
  init(_ configuration: Configuration, _ facts: Facts) throws

  /// Opens the data of a configuration, after a check that there is memory for training.
  static func open(_ configuration: Configuration) throws -> Dataset<Self>
}

/// The data of a run.
package struct Dataset<Model: ConfiguredModel>: Sendable {
  package let train: Model.Data
  /// May be empty.
  package let validation: Model.Data
  package let facts: Model.Facts

  package init(train: Model.Data, validation: Model.Data, facts: Model.Facts) {
    self.train = train
    self.validation = validation
    self.facts = facts
  }
}

/// What is known of a run's data without having them open. Checkpoints keep it.
package protocol DataFacts: Sendable {
  /// How many examples are trained on.
  var trainingCount: Int { get }

  /// The facts as strings of a checkpoint.
  var metadata: [String: String] { get }

  /// - Throws: ``Problem`` if a string is missing or invalid, or contradicts the configuration.
  init(_ metadata: CheckpointMetadata, _ configuration: Configuration) throws

  /// How the data differ from those that a run was started with, or nil if a run can go on with them.
  func difference(from old: Self) -> (found: String, expected: String)?
}
