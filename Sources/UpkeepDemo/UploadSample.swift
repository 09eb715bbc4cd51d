import Foundation
public import UpkeepCore

/// A sample upload folder: what each of four TUS servers leaves, in every state that matters to a clean-up.
///
/// Each server has a folder of its own in it. There are unfinished uploads that have expired, and some that haven't,
/// finished ones, one that is being written, a sidecar whose data was moved away, a half-written sidecar (tusd only), and a
/// file that is no upload.
public struct UploadSample: Sendable {
  /// How many expired uploads each server has.
  public static let expired = 30

  private let folder: String
  private let now: Timestamp

  /// Makes the folder and its files.
  ///
  /// - Parameters:
  ///   - path: The folder.
  ///   - now: The instant that the files' times lead up to.
  /// - Returns: How many files were made.
  /// - Throws: ``UpkeepCore/TaskError`` where one can't be written.
  @discardableResult
  public static func make(at path: String, now: Timestamp) throws -> Int {
    var files = 0
    do {
      for server in UploadServer.allCases {
        let folder = "\(path)/\(server.rawValue)" + (server == .rustus ? "/2026/11/16" : "")
        try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
        files += try UploadSample(folder: folder, now: now).fill(server)
      }
    } catch {
      throw TaskError(
        code: "cannot_write", place: "folder \(path)", problem: error.localizedDescription,
        fix: "name another folder, or check the permissions")
    }
    return files
  }

  private func fill(_ server: UploadServer) throws -> Int {
    var random = SampleRandom(seed: UInt64(server.rawValue.utf8.reduce(7) { $0 &* 31 &+ Int($1) }))
    var files = 0
    func add(age: Int, size: Int, bytes: Int?, dataAge: Int? = nil, cut: Int? = nil) throws {
      let id = Self.id(&random)
      let created = now - .seconds(age)
      if let bytes {
        try write(Data(repeating: 120, count: bytes), to: id, age: dataAge ?? age)
        files += 1
      }
      let text = server.sidecar(SampleUpload(id: id, size: size, offset: bytes ?? size, created: created))
      try write(Data(text.utf8.prefix(cut ?? .max)), to: id + server.suffix, age: age)
      files += 1
    }
    for number in 0..<Self.expired {
      try add(age: 2 * 86_400 + number * 7200, size: 100_000, bytes: 1000 + random.below(4000))
    }
    for number in 0..<5 { try add(age: 3600 * (number + 1), size: 100_000, bytes: 2000) }
    for number in 0..<10 { try add(age: 86_400 * (number + 2), size: 3000, bytes: 3000) }
    try add(age: 3 * 86_400, size: 100_000, bytes: 5000, dataAge: 1)
    try add(age: 5 * 86_400, size: 3000, bytes: nil)
    if server == .tusd { try add(age: 4 * 86_400, size: 3000, bytes: 100, cut: 40) }
    try write(Data("Uploads of the demo\n".utf8), to: "README.txt", age: 9 * 86_400)
    return files + 1
  }

  private static func id(_ random: inout SampleRandom) -> String {
    [random.next(), random.next()].map { number in
      let digits = String(number, radix: 16)
      return String(repeating: "0", count: 16 - digits.count) + digits
    }.joined()
  }

  private func write(_ data: Data, to name: String, age: Int) throws {
    let path = "\(folder)/\(name)"
    try data.write(to: URL(fileURLWithPath: path))
    let seconds = Double((now - .seconds(age)).microseconds) / 1_000_000
    try FileManager.default.setAttributes(
      [.modificationDate: Date(timeIntervalSince1970: seconds)], ofItemAtPath: path)
  }
}

/// An upload to write a sidecar for.
struct SampleUpload {
  var id: String
  var size: Int
  var offset: Int
  var created: Timestamp
}

/// The servers whose files a sample folder holds.
enum UploadServer: String, CaseIterable {
  case tuspyserver, tusd, node, rustus

  /// What a sidecar's name ends in.
  var suffix: String { self == .node ? ".json" : ".info" }

  /// The text of a sidecar, as this server writes it.
  func sidecar(_ upload: SampleUpload) -> String {
    switch self {
    case .tuspyserver:
      return """
        {
            "metadata": {
                "filename": "holiday.mp4",
                "filetype": "video/mp4"
            },
            "size": \(upload.size),
            "offset": \(upload.offset),
            "upload_part": 1,
            "created_at": "\(upload.created.sqlText)",
            "defer_length": false,
            "upload_chunk_size": \(upload.offset),
            "expires": "\(upload.created.adding(days: 1).sqlText.replacing(" ", with: "T"))",
            "error": null,
            "is_partial": false,
            "is_final": false,
            "partial_uploads": null
        }
        """
    case .tusd:
      return """
        {"ID":"\(upload.id)","Size":\(upload.size),"SizeIsDeferred":false,"Offset":0,"MetaData":\
        {"filename":"holiday.mp4"},"IsPartial":false,"IsFinal":false,"PartialUploads":null,"Storage":{"InfoPath":\
        "data/\(upload.id).info","Path":"data/\(upload.id)","Type":"filestore"}}
        """
    case .node:
      return """
        {"id":"\(upload.id)","metadata":{"filename":"holiday.mp4"},"size":\(upload.size),"offset":0,\
        "creation_date":"\(upload.created.rfc3339)"}
        """
    case .rustus:
      return """
        {"id":"\(upload.id)","offset":\(upload.offset),"length":\(upload.size),"path":"./data/\(upload.id)",\
        "created_at":\(upload.created.seconds),"deferred_size":false,"is_partial":false,"is_final":false,"parts":null,\
        "storage":"file","metadata":{"filename":"holiday.mp4"}}
        """
    }
  }
}

extension Timestamp {
  fileprivate func adding(days: Int) -> Timestamp { self + .seconds(days * 86_400) }
}
