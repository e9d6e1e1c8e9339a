import Autograd

/// The names of all parameters that are stored anywhere in a value, found by reflection.
///
/// Modules list their parameters by hand; a test compares their lists with this one.
package func reflectedParameterNames(of value: Any) -> [String] {
  if let parameter = value as? Parameter { return [parameter.name] }
  return Mirror(reflecting: value).children.flatMap { reflectedParameterNames(of: $0.value) }
}
