import Files
import Tensors

/// A file of reference values that PyTorch computed (scripts/goldens).
package struct Golden {
  private let file: SafetensorsFile

  /// - Parameter name: the name of a file in Tests/Goldens without its extension, such as `zalando`.
  package init(_ name: String) throws {
    file = try SafetensorsFile("\(testsFolder)/Goldens/\(name).safetensors")
  }

  package var names: [String] { file.entries.keys.sorted() }

  package func has(_ name: String) -> Bool { file.entries[name] != nil }

  package func metadata(_ key: String) -> String? { file.metadata[key] }

  /// A tensor in the layout of the file.
  package func callAsFunction(_ name: String) throws -> Tensor {
    let elements = try file.elements(name)
    return Tensor(Shape(file.entries[name]?.shape ?? []), elements)
  }

  /// Filters in our layout: transposed from PyTorch's `[F, C, kh, kw]` to `[kh, kw, C, F]`.
  package func filters(_ name: String) throws -> Tensor { try self(name).permuted([2, 3, 1, 0]) }
}
