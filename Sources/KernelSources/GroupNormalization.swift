import KernelTypes

extension GroupNormalization {
  private var channelsPerGroup: Int { channels / groups }
  private var imageCount: Int { positions * channels }
  private var groupCount: Double { Double(positions * channelsPerGroup) }

  /// A row of the scratch memory, with one float for each channel.
  private func row(_ number: Int, _ workspace: UnsafeMutablePointer<Float>)
    -> UnsafeMutablePointer<Float>
  {
    workspace + number &* paddedChannels
  }

  /// Calls `body` for each vector of channels, with its first channel and its width.
  @inline(__always)
  private func forEachVector(_ body: (_ channel: Int, _ width: Int) -> Void) {
    for channel in stride(from: 0, to: channels, by: Lanes.scalarCount) {
      body(channel, min(Lanes.scalarCount, channels &- channel))
    }
  }

  /// The sum of a row over the channels of a group.
  private func sum(_ row: UnsafePointer<Float>, group: Int) -> Double {
    var sum = 0.0
    for c in (group &* channelsPerGroup)..<((group &+ 1) &* channelsPerGroup) {
      sum += Double(row[c])
    }
    return sum
  }

  private func fill(_ row: UnsafeMutablePointer<Float>, group: Int, _ value: Float) {
    (row + group &* channelsPerGroup).update(repeating: value, count: channelsPerGroup)
  }

  // MARK: Forward

  /// Normalises a batch.
  ///
  /// - Parameters:
  ///   - images: `[count, positions, channels]`.
  ///   - weight, bias: `[channels]`.
  ///   - result: like `images`, overwritten.
  ///   - moments: `[count, momentCount]`, overwritten; ``backward`` reads them.
  ///   - workspace: ``workspaceCount`` floats.
  func forward(
    _ images: UnsafePointer<Float>, weight: UnsafePointer<Float>, bias: UnsafePointer<Float>,
    count: Int, into result: UnsafeMutablePointer<Float>, moments: UnsafeMutablePointer<Float>,
    workspace: UnsafeMutablePointer<Float>
  ) {
    let (sums, means, scales) = (row(0, workspace), row(1, workspace), row(2, workspace))
    for n in 0..<count {
      let image = images + n &* imageCount
      let output = result + n &* imageCount
      let imageMoments = moments + n &* momentCount

      forEachVector { c, width in
        total { Lanes(loading: image + c + $0 &* channels, count: width) }.store(sums + c)
      }
      for group in 0..<groups {
        imageMoments[group] = Float(sum(sums, group: group) / groupCount)
        fill(means, group: group, imageMoments[group])
      }
      // About the mean: a difference of two large sums would cancel.
      forEachVector { c, width in
        let mean = Lanes(loading: means + c)
        total {
          let x = Lanes(loading: image + c + $0 &* channels, count: width) - mean
          return x * x
        }.store(sums + c)
      }
      for group in 0..<groups {
        let variance = sum(sums, group: group) / groupCount
        imageMoments[groups &+ group] = Float(1 / (variance + epsilon).squareRoot())
        fill(scales, group: group, imageMoments[groups &+ group])
      }

      forEachVector { c, width in
        let norm = Norm(
          means: means + c, scales: scales + c, weight: weight + c, bias: bias + c, width: width)
        normalize(image + c, norm, width: width, into: output + c)
      }
    }
  }

  /// Moments, weight and bias of up to sixteen channels.
  private struct Norm {
    let mean: Lanes
    /// `1 / √(variance + ε)`.
    let scale: Lanes
    let weight: Lanes
    let bias: Lanes

    @inline(__always)
    init(
      means: UnsafePointer<Float>, scales: UnsafePointer<Float>, weight: UnsafePointer<Float>,
      bias: UnsafePointer<Float>, width: Int
    ) {
      mean = Lanes(loading: means)
      scale = Lanes(loading: scales)
      self.weight = Lanes(loading: weight, count: width)
      self.bias = Lanes(loading: bias, count: width)
    }

    /// x̂.
    @inline(__always)
    func normal(_ x: Lanes) -> Lanes { (x - mean) * scale }

    /// u.
    @inline(__always)
    func affine(_ normal: Lanes) -> Lanes { normal * weight + bias }
  }

  // The loops with SiLU are functions that are never inlined: inside a larger function the compiler calls the
  // exponential for each vector, and saves all registers around the call.

  /// Writes y for a vector of channels.
  @inline(never)
  private func normalize(
    _ image: UnsafePointer<Float>, _ norm: Norm, width: Int,
    into result: UnsafeMutablePointer<Float>
  ) {
    for p in 0..<positions {
      let place = p &* channels
      let u = norm.affine(norm.normal(Lanes(loading: image + place, count: width)))
      (silu ? u * u.sigmoid : u).store(result + place, count: width)
    }
  }

  /// `Σ over all pixels p of term(p)`: in Float over 64 pixels, and in double precision over those sums.
  @inline(__always)
  private func total(_ term: (_ pixel: Int) -> Lanes) -> Lanes {
    var total = LaneSum()
    for start in stride(from: 0, to: positions, by: LaneSum.length) {
      let end = min(positions, start &+ LaneSum.length)
      // Four independent sums, to hide the latency of the additions.
      var (s0, s1, s2, s3) = (Lanes.zero, Lanes.zero, Lanes.zero, Lanes.zero)
      var p = start
      while p &+ 4 <= end {
        s0 += term(p)
        s1 += term(p &+ 1)
        s2 += term(p &+ 2)
        s3 += term(p &+ 3)
        p &+= 4
      }
      while p < end {
        s0 += term(p)
        p &+= 1
      }
      total.add((s0 + s1) + (s2 + s3))
    }
    return total.value
  }

  // MARK: Backward

  /// The gradients of a batch. With du the gradient of u, and means over the image's group:
  ///
  ///     du      = gradient · SiLU′(u),   SiLU′(u) = σ(u) · (1 + u · (1 − σ(u)))
  ///     dbias   = Σ du                   over images and pixels
  ///     dweight = Σ du · x̂
  ///     dx      = (weight · du − mean(weight · du) − x̂ · mean(weight · du · x̂)) / √(variance + ε)
  ///
  /// - Parameters:
  ///   - images, weight, bias, moments: as in ``forward``.
  ///   - gradient: the gradient of its result; overwritten with the gradient of the images.
  ///   - weightGradient, biasGradient: `[channels]`, overwritten.
  ///   - workspace: ``workspaceCount`` floats.
  func backward(
    _ images: UnsafePointer<Float>, weight: UnsafePointer<Float>, bias: UnsafePointer<Float>,
    moments: UnsafePointer<Float>, count: Int, gradient: UnsafeMutablePointer<Float>,
    weightGradient: UnsafeMutablePointer<Float>, biasGradient: UnsafeMutablePointer<Float>,
    workspace: UnsafeMutablePointer<Float>
  ) {
    let (means, scales) = (row(0, workspace), row(1, workspace))
    let (sums, products) = (row(2, workspace), row(3, workspace))
    weightGradient.update(repeating: 0, count: channels)
    biasGradient.update(repeating: 0, count: channels)
    for n in 0..<count {
      let image = images + n &* imageCount
      let g = gradient + n &* imageCount
      let imageMoments = moments + n &* momentCount
      for group in 0..<groups {
        fill(means, group: group, imageMoments[group])
        fill(scales, group: group, imageMoments[groups &+ group])
      }
      func norm(_ c: Int, _ width: Int) -> Norm {
        Norm(means: means + c, scales: scales + c, weight: weight + c, bias: bias + c, width: width)
      }

      // Overwrites the gradient with du, and sums du and du·x̂.
      forEachVector { c, width in
        let (sum, product) = activationBackward(
          image + c, norm(c, width), width: width, gradient: g + c)
        sum.store(sums + c)
        product.store(products + c)
      }
      for c in 0..<channels {
        biasGradient[c] += sums[c]
        weightGradient[c] += products[c]
        sums[c] *= weight[c]
        products[c] *= weight[c]
      }
      for group in 0..<groups {
        fill(sums, group: group, Float(sum(sums, group: group) / groupCount))
        fill(products, group: group, Float(sum(products, group: group) / groupCount))
      }

      forEachVector { c, width in
        let norm = norm(c, width)
        let (meanSum, meanProduct) = (Lanes(loading: sums + c), Lanes(loading: products + c))
        for p in 0..<positions {
          let x = Lanes(loading: image + c + p &* channels, count: width)
          let du = Lanes(loading: g + c + p &* channels, count: width)
          (norm.scale * (norm.weight * du - meanSum - norm.normal(x) * meanProduct))
            .store(g + c + p &* channels, count: width)
        }
      }
    }
  }

  /// Overwrites the gradient with du for a vector of channels, and returns `Σ du` and `Σ du·x̂` over the
  /// pixels.
  @inline(never)
  private func activationBackward(
    _ image: UnsafePointer<Float>, _ norm: Norm, width: Int,
    gradient: UnsafeMutablePointer<Float>
  ) -> (sum: Lanes, product: Lanes) {
    var (sum, product) = (LaneSum(), LaneSum())
    for start in stride(from: 0, to: positions, by: LaneSum.length) {
      var (s, t) = (Lanes.zero, Lanes.zero)
      for p in start..<min(positions, start &+ LaneSum.length) {
        let place = p &* channels
        let normal = norm.normal(Lanes(loading: image + place, count: width))
        var du = Lanes(loading: gradient + place, count: width)
        if silu {
          let u = norm.affine(normal)
          let sigmoid = u.sigmoid
          du *= sigmoid * (1 + u * (1 - sigmoid))
          du.store(gradient + place, count: width)
        }
        s += du
        t += du * normal
      }
      sum.add(s)
      product.add(t)
    }
    return (sum.value, product.value)
  }
}

/// Sums of sixteen columns in double precision, from partial sums in Float.
private struct LaneSum {
  /// Terms of a partial sum.
  static let length = 64

  private var low = SIMD8<Double>.zero
  private var high = SIMD8<Double>.zero

  @inline(__always)
  mutating func add(_ x: Lanes) {
    let doubles = x.asDoubles
    low += doubles.0
    high += doubles.1
  }

  var value: Lanes { Lanes(rounding: low, high) }
}

extension Module {
  package static func normalize(
    _ images: UnsafePointer<Float>, by normalization: GroupNormalization,
    weight: UnsafePointer<Float>, bias: UnsafePointer<Float>, count: Int,
    into result: UnsafeMutablePointer<Float>, moments: UnsafeMutablePointer<Float>,
    workspace: UnsafeMutablePointer<Float>
  ) {
    normalization.forward(
      images, weight: weight, bias: bias, count: count, into: result, moments: moments,
      workspace: workspace)
  }

  package static func normalizeBackward(
    _ images: UnsafePointer<Float>, by normalization: GroupNormalization,
    weight: UnsafePointer<Float>, bias: UnsafePointer<Float>, moments: UnsafePointer<Float>,
    count: Int, gradient: UnsafeMutablePointer<Float>,
    weightGradient: UnsafeMutablePointer<Float>, biasGradient: UnsafeMutablePointer<Float>,
    workspace: UnsafeMutablePointer<Float>
  ) {
    normalization.backward(
      images, weight: weight, bias: bias, moments: moments, count: count, gradient: gradient,
      weightGradient: weightGradient, biasGradient: biasGradient, workspace: workspace)
  }
}
