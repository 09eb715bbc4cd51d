/// The files that pages load: they are a part of the program.
enum Assets {
  /// The style of all pages.
  static let style = WebResponse(
    status: 200, headers: [("Content-Type", "text/css; charset=utf-8")], body: PackageResources.app_css)
  /// What pages do.
  static let script = WebResponse(
    status: 200, headers: [("Content-Type", "text/javascript; charset=utf-8")], body: PackageResources.app_js)
  /// The icon.
  static let icon = WebResponse(
    status: 200, headers: [("Content-Type", "image/svg+xml")], body: PackageResources.icon_svg)
}
