/// The files that pages load: they are a part of the program.
enum Assets {
  /// The style of all pages.
  static let style = WebResponse.text("", type: "text/css; charset=utf-8")
}
