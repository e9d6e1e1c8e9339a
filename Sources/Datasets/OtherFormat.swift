import Files

/// A known format found where CIFAR-10's binary version was expected, recognized by name, size or first
/// bytes.
struct OtherFormat {
  /// What was found, in words that follow the path and a colon.
  let found: String
  let advice: String

  private static let download =
    "scripts/download_cifar10.sh downloads the binary version (cifar-10-binary.tar.gz)."

  private static let python = OtherFormat(
    found: "this is CIFAR-10's Python version (pickled arrays)",
    advice: "Only the binary version is read. " + download)
  private static let cifar100 = OtherFormat(
    found: "this is CIFAR-100, whose records have two labels and 3074 bytes",
    advice: "Only CIFAR-10 is read. " + download)
  private static let archive = OtherFormat(
    found: "this is a compressed archive",
    advice: "Unpack it with tar -xzf, and name the folder with the .bin files.")
  private static let page = OtherFormat(
    found: "this is a web page, not the file that a download should have brought",
    advice: download)
  private static let pointer = OtherFormat(
    found: "this is a pointer of git-lfs, not the file itself",
    advice: "Fetch it with git lfs pull.")

  private init(found: String, advice: String) {
    self.found = found
    self.advice = advice
  }

  /// The format of a file, or nil if it is not recognized.
  init?(of file: InputFile) throws {
    let start = try file.bytes(at: 0, count: min(file.size, 64))
    let text = String(decoding: start, as: UTF8.self)
    if start.starts(with: [0x1F, 0x8B]) {
      self = Self.archive
    } else if start.count >= 2, start[0] == 0x80, (2...5).contains(start[1]) {
      self = Self.python
    } else if text.hasPrefix("version https://git-lfs") {
      self = Self.pointer
    } else if text.lowercased().hasPrefix("<!doctype") || text.lowercased().hasPrefix("<html") {
      self = Self.page
    } else if file.size > 0, file.size.isMultiple(of: 3074), start[0] < 20, start[1] < 100 {
      self = Self.cifar100
    } else {
      return nil
    }
  }

  /// The format of a file that was named instead of the folder.
  init?(ofFile path: String) throws {
    guard let format = try OtherFormat(of: InputFile(path)) else { return nil }
    self = format
  }

  /// The format of the files in a folder without batch files, or nil if none is recognized.
  init?(inFolder folder: String) throws {
    func has(_ names: String...) throws -> String? {
      try names.first { try fileExists("\(folder)/\($0)") }
    }
    if try has("data_batch_1", "cifar-10-batches-py") != nil {
      self = Self.python
    } else if try has("train.bin", "cifar-100-binary", "cifar-100-python") != nil {
      self = Self.cifar100
    } else if let name = try has("cifar-10-binary.tar.gz", "cifar-10-binary.tar") {
      self.init(
        found: "the folder has \(name), which has not been unpacked",
        advice: "Unpack it there with tar -xf \(name).")
    } else if let name = try has("cifar-10-python.tar.gz", "cifar-100-binary.tar.gz") {
      self.init(
        found: "the folder has \(name), which is not the binary version", advice: Self.download)
    } else {
      return nil
    }
  }
}
