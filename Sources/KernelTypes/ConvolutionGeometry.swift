/// Rows and columns of zeros around an image.
package struct Padding: Hashable, Sendable {
  package var top: Int
  package var left: Int
  package var bottom: Int
  package var right: Int

  package init(top: Int, left: Int, bottom: Int, right: Int) {
    self.top = top
    self.left = left
    self.bottom = bottom
    self.right = right
  }

  /// The same on all four sides.
  package init(_ all: Int) {
    self.init(top: all, left: all, bottom: all, right: all)
  }
}

/// The sizes of a two-dimensional cross-correlation, channels last.
///
/// It maps images `[N, height, width, channels]` to feature maps `[N, outHeight, outWidth, filters]`, called
/// maps in the names below. A transposed convolution has the geometry of the convolution whose input gradient
/// it is.
package struct ConvolutionGeometry: Hashable, Sendable {
  package let height: Int
  package let width: Int
  package let channels: Int
  package let filters: Int
  package let kernelHeight: Int
  package let kernelWidth: Int
  package let stride: Int
  package let padding: Padding

  package init(
    height: Int, width: Int, channels: Int, filters: Int, kernelHeight: Int, kernelWidth: Int,
    stride: Int, padding: Padding
  ) {
    self.height = height
    self.width = width
    self.channels = channels
    self.filters = filters
    self.kernelHeight = kernelHeight
    self.kernelWidth = kernelWidth
    self.stride = stride
    self.padding = padding
  }

  /// `⌊(height + padding − kernelHeight) / stride⌋ + 1`.
  package var outHeight: Int {
    (height + padding.top + padding.bottom - kernelHeight) / stride + 1
  }

  /// `⌊(width + padding − kernelWidth) / stride⌋ + 1`.
  package var outWidth: Int {
    (width + padding.left + padding.right - kernelWidth) / stride + 1
  }

  /// Floats of one image.
  package var imageCount: Int { height * width * channels }

  /// Floats of the feature maps of one image.
  package var mapCount: Int { outHeight * outWidth * filters }

  /// Output positions of one image.
  package var positions: Int { outHeight * outWidth }

  /// Floats under the kernel at one position: the width of the column matrix.
  package var patchCount: Int { kernelHeight * kernelWidth * channels }

  /// Floats of all filters.
  package var filterCount: Int { patchCount * filters }

  /// Images of a batch of `count` whose column matrix is in memory at once: few enough for a core's cache.
  package func imagesPerColumnMatrix(count: Int) -> Int {
    let cacheFloats = 1 << 18
    return min(max(1, count), max(1, cacheFloats / max(1, positions * patchCount)))
  }

  /// Whether the column matrix is the image itself.
  package var isPointwise: Bool {
    kernelHeight == 1 && kernelWidth == 1 && stride == 1 && padding == Padding(0)
  }
}
