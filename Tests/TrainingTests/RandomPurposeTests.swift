import Autograd
import Datasets
import Quantizers
import Tensors
import Testing

/// Purposes are declared in several modules, so nothing but this list compares them.
@Suite("Purposes of random numbers")
struct RandomPurposeTests {
  @Test("all numbers differ and have not changed")
  func numbers() {
    let purposes: [RandomPurpose] = [
      .weights, .shuffle, .syntheticImage, .dropout, .restart, .kMeans, .stageDropout,
    ]
    #expect(purposes.map(\.number) == Array(1...7))
  }
}
