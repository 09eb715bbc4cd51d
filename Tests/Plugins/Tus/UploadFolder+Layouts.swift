import UpkeepCore

@testable import TusExpiryPlugin

extension UploadFolder {
  /// A name as servers make them.
  static func id(_ number: Int) -> String {
    let digits = String(number, radix: 16)
    return String(repeating: "0", count: 32 - digits.count) + digits
  }

  /// What is written of an upload, whatever the layout.
  struct Upload {
    var size: Int? = 1000
    var bytes: Int? = 10
    var age = Duration.days(3)
    /// How long ago something was written to the data; that of the sidecar where nothing is said.
    var dataAge: Duration?
    var isPartial = false
    var parts: [String]?
    /// tuspyserver: the text of `expires`, as JSON.
    var expires = "null"
    /// tuspyserver: the bytes that the sidecar says have come.
    var offset: Int?
  }

  /// Writes the two files of an upload.
  func add(_ layout: TusLayout, _ name: String, _ upload: Upload = Upload()) throws {
    if let bytes = upload.bytes { try write(size: bytes, to: name, age: upload.dataAge ?? upload.age) }
    let suffix = layout == .node ? ".json" : ".info"
    try write(sidecar(layout, name, upload), to: name + suffix, age: upload.age)
  }

  /// The text of a sidecar.
  func sidecar(_ layout: TusLayout, _ name: String, _ upload: Upload) -> String {
    let created = Self.now - upload.age
    let size = upload.size.map(String.init) ?? "null"
    let id = name.split(separator: "/").last.map(String.init) ?? name
    let parts = upload.parts.map { "[" + $0.map { "\"\($0)\"" }.joined(separator: ", ") + "]" } ?? "null"
    switch layout {
    case .tuspyserver:
      return """
        {
            "metadata": {"filename": "a \\"b\\".bin", "filetype": "application/octet-stream"},
            "size": \(size), "offset": \(upload.offset ?? upload.bytes ?? 0), "upload_part": 1,
            "created_at": "\(created.sqlText)", "defer_length": \(upload.size == nil), "upload_chunk_size": 10,
            "expires": \(upload.expires), "error": null, "is_partial": \(upload.isPartial),
            "is_final": \(upload.parts != nil), "partial_uploads": \(parts)
        }
        """
    case .tusd:
      return """
        {"ID":"\(name)","Size":\(upload.size ?? 0),"SizeIsDeferred":\(upload.size == nil),"Offset":0,\
        "MetaData":{"filename":"a.bin"},"IsPartial":\(upload.isPartial),"IsFinal":\(upload.parts != nil),\
        "PartialUploads":\(parts),\
        "Storage":{"InfoPath":"/srv/tusd/\(name).info","Path":"/srv/tusd/\(name)","Type":"filestore"}}
        """
    case .node:
      let size = upload.size.map { "\"size\":\($0)," } ?? ""
      return """
        {"id":"\(id)","metadata":{"filename":"a.bin"},\(size)"offset":0,"creation_date":"\(created.rfc3339)"}
        """
    case .rustus:
      return """
        {"id":"\(id)","offset":\(upload.offset ?? upload.bytes ?? 0),"length":\(size),"path":"/data/\(name)",\
        "created_at":\(created.seconds),"deferred_size":\(upload.size == nil),"is_partial":\(upload.isPartial),\
        "is_final":\(upload.parts != nil),"parts":\(parts),"storage":"file","metadata":{}}
        """
    }
  }
}
