import Configurations
import Diagnostics
import NN

/// What determines the course of a run, besides its state.
package struct Experiment<Model: ConfiguredModel>: Sendable {
  package let configuration: Configuration
  package let facts: Model.Facts
  /// May be replaced by a model that computes the same, to measure it.
  package var model: Model

  /// - Throws: ``Problem`` if the model cannot take such data.
  package init(_ configuration: Configuration, _ facts: Model.Facts) throws {
    self.configuration = configuration
    self.facts = facts
    model = try Model(configuration, facts)
  }

  /// Opens the data of an experiment, after a check that there is memory for training.
  package static func open(_ configuration: Configuration) throws -> (Self, Dataset<Model>) {
    let dataset = try Model.open(configuration)
    return (try Self(configuration, dataset.facts), dataset)
  }
}
