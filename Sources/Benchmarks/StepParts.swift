import Autoencoders
import Autograd
import Datasets
import Glibc
import NN
import Quantizers
import Synchronization
import Tensors

/// Measures the parts of real training steps from their edges, so that nothing in the training code has
/// to know of it.
///
/// The images come from a source that notes when it was asked, and the model has an architecture that
/// notes when its encoder, its quantizers and its decoder begin and end; both hand everything on. A
/// shard passes them on one thread, in this order. What the threads spent is added up.
final class StepParts: Sendable {
  /// Seconds of all threads since the last ``take()``.
  struct Seconds {
    /// From asking for the images to the encoder's beginning: reading, and making floats of bytes.
    var data: Double
    /// Encoder and decoder.
    var forward: Double
    /// The quantizers with their losses.
    var quantizer: Double
  }

  private let data = Atomic(0)
  private let forward = Atomic(0)
  private let quantizer = Atomic(0)
  /// Where each thread keeps the time at which it asked for images.
  private let asked: pthread_key_t

  init() {
    var key = pthread_key_t()
    let status = pthread_key_create(&key, nil)
    precondition(status == 0, "pthread_key_create failed")
    asked = key
  }

  deinit { pthread_key_delete(asked) }

  /// Images that come from a split.
  func timed(_ split: ImageSplit) -> ImageSplit {
    ImageSplit(TimedImages(split: split, parts: self))
  }

  /// A model that computes the same.
  func timed(_ model: VQVAE) -> VQVAE {
    VQVAE(
      architecture: TimedArchitecture(base: model.architecture, parts: self),
      quantizers: model.quantizers, objective: model.objective, convolution: model.convolution)
  }

  /// What has been measured since the last call.
  func take() -> Seconds {
    func take(_ sum: borrowing Atomic<Int>) -> Double {
      Double(sum.exchange(0, ordering: .sequentiallyConsistent)) * 1e-9
    }
    return Seconds(data: take(data), forward: take(forward), quantizer: take(quantizer))
  }

  /// Nanoseconds of a clock that does not jump.
  private static var now: Int {
    var time = timespec()
    clock_gettime(CLOCK_MONOTONIC, &time)
    return time.tv_sec * 1_000_000_000 + time.tv_nsec
  }

  private struct TimedImages: ImageSource {
    let split: ImageSplit
    let parts: StepParts

    var count: Int { split.count }
    var image: ImageShape { split.image }

    func pixels(of indices: some Collection<Int32>) throws -> [UInt8] {
      pthread_setspecific(parts.asked, UnsafeRawPointer(bitPattern: StepParts.now))
      return try split.pixels(at: indices.map(Int.init))
    }
  }

  private struct TimedArchitecture: Architecture {
    let base: any Architecture
    let parts: StepParts

    var parameters: [Parameter] { base.parameters }
    var latents: [Latent] { base.latents }

    func encode(
      _ images: Variable, quantize: (_ vectors: Variable, _ i: Int) -> Variable
    ) -> [Variable] {
      let start = StepParts.now
      if let asked = pthread_getspecific(parts.asked) {
        parts.data.add(start - Int(bitPattern: asked), ordering: .relaxed)
        pthread_setspecific(parts.asked, nil)
      }
      var quantizing = 0
      let result = base.encode(images) { z, i in
        let start = StepParts.now
        defer { quantizing += StepParts.now - start }
        return quantize(z, i)
      }
      parts.quantizer.add(quantizing, ordering: .relaxed)
      parts.forward.add(StepParts.now - start - quantizing, ordering: .relaxed)
      return result
    }

    func decode(_ codewords: [Variable]) -> Variable {
      let start = StepParts.now
      defer { parts.forward.add(StepParts.now - start, ordering: .relaxed) }
      return base.decode(codewords)
    }
  }
}
