import Glibc
import Options
import Tensors

extension RandomPurpose {
  package static let syntheticImage = RandomPurpose(3)
}

/// Images drawn from a seed: a shaded background with a few overlapping discs, boxes, rings and striped
/// bands. They need no download, and the errors of a reconstruction are easy to see.
package struct Synthetic: ImageSource {
  /// The default height and width, in pixels.
  package static let defaultSide = 32

  package let count: Int
  package let image: ImageShape
  private let seed: UInt64
  private let first: Int
  /// All images, `[count, side, side, 3]`, or nil if each is drawn when it is asked for.
  private let bytes: [UInt8]?

  /// - Parameters:
  ///   - first: the number of the first image. Ranges of numbers that do not overlap have no image in common.
  ///   - side: the height and width of an image. An image of one number shows the same scene at every size.
  ///   - drawsOnDemand: whether images are drawn when they are read, and not kept.
  package init(
    seed: UInt64, first: Int, count: Int, side: Int = defaultSide, drawsOnDemand: Bool = false
  ) {
    self.count = count
    image = Self.image(side: side)
    self.seed = seed
    self.first = first
    var bytes: [UInt8] = []
    if !drawsOnDemand {
      bytes.reserveCapacity(count * image.count)
      for i in 0..<count { bytes += Self.draw(first + i, seed: seed, side: side) }
    }
    self.bytes = drawsOnDemand ? nil : bytes
  }

  private static func image(side: Int) -> ImageShape {
    ImageShape(height: side, width: side, channels: 3)
  }

  private static func draw(_ number: Int, seed: UInt64, side: Int) -> [UInt8] {
    var generator = SeededGenerator(seed: seed, purpose: .syntheticImage, stream: UInt64(number))
    return Scene(&generator).render(side: side)
  }

  package func pixels(of indices: some Collection<Int32>) throws -> [UInt8] {
    indices.flatMap { pixels(of: Int($0)) }
  }

  private func pixels(of i: Int) -> ArraySlice<UInt8> {
    let size = image.count
    return bytes.map { $0[(i * size)..<((i + 1) * size)] }
      ?? Self.draw(first + i, seed: seed, side: image.height)[...]
  }

  /// The moments over the pixels of the included images, and the fingerprint of all.
  package func summary(including isIncluded: (Int) -> Bool) -> ImageSummary {
    var summary = ImageSummary()
    for i in 0..<count {
      let bytes = pixels(of: i)
      if isIncluded(i) { summary.moments.add(bytes) }
      bytes.withUnsafeBytes { summary.fingerprint.add($0) }
    }
    return summary
  }
}

// MARK: The kind of data

extension Synthetic: DataSource {
  package struct Options: DataOptions {
    package var validation = 0.1
    /// The number of images for training and validation.
    package var images = 4096
    /// The height and width of an image.
    package var side = Synthetic.defaultSide

    package init() {}
  }

  package static let name = "synthetic"
  package static let fields: [Field<Options>] = [
    Options.validationField,
    .integer("images", \.images, 1...1_000_000, "images, held-out ones included"),
    .integer("side", \.side, 8...512, "height and width of an image in pixels"),
  ]

  /// A million images of 32×32, or 4096 of 512×512, at three bytes per pixel.
  private static let maximumPixels = 1 << 30
  /// The number of test images.
  private static let testCount = 512

  package static func fault(in options: Options) -> FieldFault? {
    let pixels = options.images * options.side * options.side
    return pixels > maximumPixels
      ? FieldFault(
        ["side", "images"],
        "expected at most \(maximumPixels) pixels in data.images times data.side squared, which are "
          + "kept in memory, found \(pixels)")
      : nil
  }

  package static func image(_ options: Options) -> ImageShape { image(side: options.side) }

  package static func count(_ options: Options) -> Int? { options.images }

  package static func memory(_ options: Options) -> Int {
    options.images * image(options).count
  }

  package init(_ options: Options, _ part: DataPart, seed: UInt64, isReadOnce: Bool) throws {
    switch part {
    case .training:
      self.init(
        seed: seed, first: 0, count: options.images, side: options.side,
        drawsOnDemand: isReadOnce)
    case .test:
      // Beyond the numbers of any training set.
      self.init(
        seed: seed, first: 1 << 32, count: Self.testCount, side: options.side,
        drawsOnDemand: isReadOnce)
    }
  }
}

/// The scene of one image; lengths are fractions of its side.
private struct Scene {
  private typealias Color = SIMD3<Float>

  private enum Form: CaseIterable {
    case disc, box, ring, band
  }

  private struct Thing {
    let form: Form
    let center: SIMD2<Float>
    let size: SIMD2<Float>
    let direction: SIMD2<Float>
    let color: Color
    let stripe: Color
    let stripes: Float
  }

  private let corners: (Color, Color)
  private let light: SIMD2<Float>
  private let things: [Thing]

  init(_ generator: inout SeededGenerator) {
    func color() -> Color {
      Color(generator.uniform(), generator.uniform(), generator.uniform())
    }
    func direction() -> SIMD2<Float> {
      let angle = generator.uniform(0, 2 * .pi)
      return SIMD2(cosf(angle), sinf(angle))
    }
    corners = (color(), color())
    light = direction()
    things = (0..<(1 + generator.index(below: 4))).map { _ in
      let isStriped = generator.index(below: 3) == 0
      return Thing(
        form: Form.allCases[generator.index(below: Form.allCases.count)],
        center: SIMD2(generator.uniform(0.1, 0.9), generator.uniform(0.1, 0.9)),
        size: SIMD2(generator.uniform(0.1, 0.35), generator.uniform(0.1, 0.35)),
        direction: direction(), color: color(), stripe: color(),
        stripes: isStriped ? generator.uniform(2, 5) : 0)
    }
  }

  /// `[side, side, 3]`, each pixel the mean of 2×2 samples.
  func render(side: Int) -> [UInt8] {
    var result: [UInt8] = []
    for y in 0..<side {
      for x in 0..<side {
        var sum = Color.zero
        for (dx, dy) in [(0.25, 0.25), (0.75, 0.25), (0.25, 0.75), (0.75, 0.75)] as [(Float, Float)]
        {
          sum += color(at: SIMD2(Float(x) + dx, Float(y) + dy) / Float(side))
        }
        let pixel = (sum * (255 / 4)).rounded(.toNearestOrEven)
        result += [UInt8(pixel.x), UInt8(pixel.y), UInt8(pixel.z)]
      }
    }
    return result
  }

  private func color(at point: SIMD2<Float>) -> Color {
    let shade = 0.5 + 0.7 * ((point - 0.5) * light).sum()
    var color = mix(corners.0, corners.1, min(max(shade, 0), 1))
    for thing in things {
      let offset = point - thing.center
      let along = (offset * thing.direction).sum()
      let across = offset.x * thing.direction.y - offset.y * thing.direction.x
      let u = along / thing.size.x
      let v = across / thing.size.y
      let radius = u * u + v * v
      let isInside =
        switch thing.form {
        case .disc: radius < 1
        case .box: max(abs(u), abs(v)) < 0.9
        case .ring: radius < 1.2 && radius > 0.45
        case .band: abs(v) < 0.4
        }
      guard isInside else { continue }
      let isStripe = thing.stripes > 0 && Int((u * thing.stripes).rounded(.down)) & 1 == 1
      color = mix(isStripe ? thing.stripe : thing.color, color, 0.1)
    }
    return color
  }

  private func mix(_ a: Color, _ b: Color, _ t: Float) -> Color { a * (1 - t) + b * t }
}
