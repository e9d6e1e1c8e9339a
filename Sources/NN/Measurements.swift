/// What a model reports about some examples, and by addition about a batch or a split.
package struct Measurements: Sendable {
  package private(set) var metrics: [Metric]
  /// How often each code was chosen: one entry for each codebook; none if a model has no codes.
  package private(set) var usage: [CodebookUsage]
  /// How large the vectors of each latent are, in training; none if a model has no latents that are quantized.
  package private(set) var scales: [LatentScale]

  package init(
    _ metrics: [Metric], usage: [CodebookUsage] = [], scales: [LatentScale] = []
  ) {
    self.metrics = metrics
    self.usage = usage
    self.scales = scales
  }

  /// The value of a metric, or nil if there is no such metric.
  package subscript(name: String) -> Double? { metrics.first { $0.name == name }?.value }

  package mutating func append(_ metric: Metric) { metrics.append(metric) }

  package static func += (a: inout Measurements, b: Measurements) {
    precondition(a.metrics.count == b.metrics.count, "all shards report the same metrics")
    for i in a.metrics.indices { a.metrics[i] += b.metrics[i] }
    for i in a.usage.indices { a.usage[i] += b.usage[i] }
    for i in a.scales.indices { a.scales[i] += b.scales[i] }
  }
}
