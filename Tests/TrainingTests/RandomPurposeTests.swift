import Autograd
import Datasets
import Tensors
import Testing

/// Purposes are declared in several modules, so nothing but this list compares them.
@Suite("Purposes of random numbers")
struct RandomPurposeTests {
  @Test("all numbers differ and have not changed")
  func numbers() {
    let purposes: [RandomPurpose] = [.weights, .shuffle, .syntheticImage, .dropout]
    #expect(purposes.map(\.number) == [1, 2, 3, 4])
  }
}
