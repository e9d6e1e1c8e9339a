import Datasets
import NN
import Tensors
import VectorQuantization

/// Everything that a training run depends on. Each field has its one default here, those of the section
/// `model` with the architectures.
///
/// The names of the fields in a file, their ranges and their meaning are listed in
/// ``ConfigurationField/all``.
package struct Configuration: Sendable, Equatable {
  package var seed: UInt64 = 1
  package var data = Data()
  package var model = ModelOptions()
  package var quantizer = QuantizerOptions()
  package var training = TrainingOptions()
  package var output = Output()

  package struct Data: Sendable, Equatable {
    package enum Kind: String, CaseIterable, Sendable {
      case cifar10, synthetic
    }

    package var kind = Kind.synthetic
    /// The folder of the batch files.
    package var root: String?
    /// The fraction of the training images that is held out.
    package var validation = 0.1
    /// How many images the synthetic set has to train on and to hold out.
    package var images = 4096
    /// The height and width of its images.
    package var side = Synthetic.usualSide
  }

  package struct QuantizerOptions: Sendable, Equatable {
    package enum Kind: String, CaseIterable, Sendable {
      /// The codebook loss.
      case vq
      /// Exponential moving averages.
      case ema
    }

    /// The start of the codebook.
    package enum Initialization: String, CaseIterable, Sendable {
      /// Uniform in ±1/K.
      case uniform
      /// Uniform in 0…1.
      case unit
      /// Normal, of variance 1.
      case normal
      /// Uniform in ±√(3/D), which has the variance 1/D.
      case fan
    }

    package var kind = Kind.vq
    package var straightThrough = StraightThrough.function
    package var codebookSize = 512
    package var dimension = 64
    package var distances = DistanceForm.addmm
    package var commitment = 0.25
    package var weighting = Objective.Weighting.paper
    package var decay = 0.99
    package var epsilon = 1e-5
    /// Where nil, what the architecture's program does.
    package var initialization: Initialization?
    package var emaUnused: UnusedCodeword?
  }

  package struct TrainingOptions: Sendable, Equatable {
    package var steps = 10_000
    package var batchSize = 32
    package var learningRate = 3e-4
    package var schedule = LearningRate.Schedule.constant
    package var warmupSteps = 0
    package var finalLearningRate = 0.0
    package var weightDecay = 0.0
    /// Where nil, gradients are not clipped.
    package var clipNorm: Double?
    package var reconstruction = Objective.Reconstruction.nmse
    package var reduction = Objective.Reduction.mean
    package var convolution = ConvolutionMethod.auto
    /// Where nil, as many as the process may use.
    package var threads: Int?
    /// 0 for only at the end, here and below.
    package var checkpointEvery = 1000
    package var validateEvery = 1000
    package var logEvery = 100
  }

  package struct Output: Sendable, Equatable {
    /// Where nil, `runs/` and the name of the configuration's file.
    package var folder: String?
  }

  package init() {}
}
