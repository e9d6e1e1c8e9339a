import Options

/// What can be checked only when everything has been read.
extension ConfigurationReader {
  /// What no field can check alone.
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

  /// The kind that the configuration has now.
  private func kind(_ kindField: String) -> String? {
    Self.fields[kindField]?.get(configuration)?.text
  }

  /// Reports the fields that were set and that the kind of their section does not have.
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
          "\(field.name): belongs to \(owners.kinds.joined(separator: " and ")), and "
            + "\(owners.kindField) is \(kind(owners.kindField) ?? ""); leave it out")
      }
    }
  }

  /// Whether a field of another kind is left out without an error: a flag that chooses another kind than
  /// the file takes the fields of the file's kind away.
  private func isLeftOut(_ owners: Field<Configuration>.Owners, _ place: Place) -> Bool {
    guard place.isInFile else { return false }
    if origin == .program { return true }
    guard let chosen = places[owners.kindField], !chosen.isInFile else { return false }
    // Of a kind that does not exist nothing is known, and it is an error already.
    guard case let kind?? = kindsOfFile[owners.kindField] else { return true }
    return owners.kinds.contains(kind)
  }
}
