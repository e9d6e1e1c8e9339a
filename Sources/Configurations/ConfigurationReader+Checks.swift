import Options

/// Checks that need the whole configuration.
extension ConfigurationReader {
  /// Reports the faults that involve several fields.
  mutating func check(fallback: String, needsData: Bool, needsRunFolder: Bool) {
    let start = Place(fallback, line: 1, column: 1)
    if needsRunFolder, configuration.output.folder == nil, !refused.contains("output.folder") {
      report(
        places["output.folder"] ?? start,
        "output.folder: expected the run folder, which a configuration without a file name has to name; "
          + "or give --run FOLDER")
    }
    checkOwners()
    for fault in configuration.faults(isWhole: needsData) {
      let kindField = [fault.kindField].compactMap(\.self)
      guard refused.isDisjoint(with: kindField + fault.fields) else { continue }
      let field = fault.fields.first { places[$0] != nil } ?? fault.fields[0]
      let place = places[field] ?? kindField.first.flatMap { places[$0] } ?? start
      report(place, "\(field): \(fault.message)")
    }
  }

  mutating func rememberKinds() {
    for name in Set(Configuration.fields.compactMap(\.owners?.kindField)) {
      kindsOfFile[name] = refused.contains(name) ? .some(nil) : kind(name)
    }
  }

  /// The current value of a kind field.
  private func kind(_ kindField: String) -> String? {
    Self.fields[kindField]?.get(configuration)?.text
  }

  /// Reports the fields that were set but do not belong to the kind of their section.
  mutating func checkOwners() {
    for field in Configuration.fields where !field.belongs(configuration) {
      guard let owners = field.owners, let place = places[field.name],
        !unset.contains(field.name), !refused.contains(owners.kindField)
      else { continue }
      if isLeftOut(owners, place) {
        field.set(nil, &configuration)
      } else {
        report(
          place,
          "\(field.name): belongs to \(Self.list(owners.kinds)), and "
            + "\(owners.kindField) is \(kind(owners.kindField) ?? ""); leave it out")
      }
    }
  }

  /// Whether a field of another kind is dropped without an error. If a flag selects a kind other than the
  /// file's, the fields of the file's kind are dropped.
  private func isLeftOut(_ owners: Field<Configuration>.Owners, _ place: Place) -> Bool {
    guard place.isInFile else { return false }
    if origin == .program { return true }
    guard let chosen = places[owners.kindField], !chosen.isInFile else { return false }
    // The fields of an unknown kind are unknown too, and the kind has already been reported.
    guard case let kind?? = kindsOfFile[owners.kindField] else { return true }
    return owners.kinds.contains(kind)
  }

  /// Names as an enumeration: `a, b and c`.
  private static func list(_ names: [String]) -> String {
    names.count < 2
      ? names.joined() : names.dropLast().joined(separator: ", ") + " and " + names.last!
  }
}
