import Configurations
import Datasets

extension Configuration {
  /// Opens the training images and cuts off the validation split.
  package func dataset() throws -> Dataset { try data.dataset(seed: seed) }

  /// Opens one split for evaluation. Only what is evaluated is read or drawn, when it is asked for.
  package func split(_ name: SplitName) throws -> ImageSplit {
    try data.split(name, seed: seed)
  }
}
