/// A statement as PostgreSQL writes it.
///
/// Of the values given only those go to the server that the statement names: it refuses one whose type it can't find out.
struct PostgresStatement {
  /// The text, with `$1` for the port's `?1`; what stands in quotes stays.
  let text: String
  /// Which value each of the server's parameters is, from 0.
  private let order: [Int]

  init(_ sql: String) {
    guard sql.utf8.contains(UInt8(ascii: "?")) else {
      (text, order) = (sql, [])
      return
    }
    var (result, order): ([UInt8], [Int]) = ([], [])
    var places: [Int: Int] = [:]
    result.reserveCapacity(sql.utf8.count)
    var quote: UInt8?
    var rest = Array(sql.utf8)[...]
    while let byte = rest.popFirst() {
      if let open = quote {
        if byte == open { quote = nil }
      } else if byte == UInt8(ascii: "'") || byte == UInt8(ascii: "\"") {
        quote = byte
      } else if byte == UInt8(ascii: "?") {
        var number = 0
        while let digit = rest.first, digit >= 48, digit <= 57 {
          number = number * 10 + Int(digit - 48)
          rest.removeFirst()
        }
        if number > 0 {
          let place = places[number, default: order.count]
          if place == order.count {
            places[number] = place
            order.append(number - 1)
          }
          result += Array("$\(place + 1)".utf8)
          continue
        }
      }
      result.append(byte)
    }
    text = String(decoding: result, as: UTF8.self)
    self.order = order
  }

  /// The values of the server's parameters; one that isn't given is NULL.
  func picked(_ values: [DatabaseValue]) -> [DatabaseValue] {
    order.map { $0 < values.count ? values[$0] : .null }
  }
}
