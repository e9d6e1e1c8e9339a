import Autoencoders
import Autograd
import Datasets
import Glibc
import NN
import Quantizers
import Synchronization
import Tensors

/// Measures the parts of real training steps by wrapping their inputs, so that the training code contains no
/// measurements.
///
/// One wrapper around the images records when they are requested; one around the architecture records when
/// the encoder, the quantizers and the decoder begin and end. Both forward all calls. A shard passes through
/// them in this order, on one thread. Times are summed over threads.
final class StepParts: Sendable {
  /// Seconds since the last ``take()``, summed over threads.
  struct Seconds {
    /// From the request for the images to the start of the encoder: reading, and converting bytes to floats.
    var data: Double
    /// Encoder and decoder.
    var forward: Double
    /// The quantizers, including their losses.
    var quantizer: Double
  }

  private let data = Atomic(0)
  private let forward = Atomic(0)
  private let quantizer = Atomic(0)
  /// The key of the thread-local time at which images were requested.
  private let asked: pthread_key_t

  init() {
    var key = pthread_key_t()
    let status = pthread_key_create(&key, nil)
    precondition(status == 0, "pthread_key_create failed")
    asked = key
  }

  deinit { pthread_key_delete(asked) }

  /// The same split, with requests for images recorded.
  func timed(_ split: ImageSplit) -> ImageSplit {
    ImageSplit(TimedImages(split: split, parts: self))
  }

  /// A model that computes the same, with its times recorded.
  func timed(_ model: VQVAE) -> VQVAE {
    VQVAE(
      architecture: TimedArchitecture(base: model.architecture, parts: self),
      quantizers: model.quantizers, objective: model.objective, convolution: model.convolution)
  }

  /// Returns the times since the last call, and resets them.
  func take() -> Seconds {
    func take(_ sum: borrowing Atomic<Int>) -> Double {
      Double(sum.exchange(0, ordering: .sequentiallyConsistent)) * 1e-9
    }
    return Seconds(data: take(data), forward: take(forward), quantizer: take(quantizer))
  }

  /// Nanoseconds of a monotonic clock.
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
