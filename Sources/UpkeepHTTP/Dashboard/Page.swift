import UpkeepCore

/// The frame of every page.
struct Page {
  /// A place in the navigation.
  enum Place: String, CaseIterable {
    case tasks = "Tasks"
    case timeline = "Timeline"
    case configuration = "Configuration"

    var address: String {
      switch self {
      case .tasks: "/"
      case .timeline: "/timeline"
      case .configuration: "/configuration"
      }
    }
  }

  let title: String
  let place: Place?
  /// The hash of the YAML file, which a change on this page is meant for.
  var etag = ""
  /// Whether it changes by itself while it is looked at.
  var isFresh = false
  /// Whether there is a session that can be ended.
  var canLogOut = false
  let content: HTML

  /// The whole document.
  var document: HTML {
    let links = Place.allCases.map { link -> HTML in
      let current: HTML = link == place ? " aria-current=\"page\"" : ""
      return "<a href=\"\(link.address)\"\(current)>\(link.rawValue)</a>\n"
    }
    let fresh: HTML = isFresh ? " data-fresh" : ""
    let logout: HTML? =
      canLogOut ? "<button type=\"button\" class=\"needs-script\" data-action=\"logout\">Log out</button>" : nil
    return """
      <!doctype html>
      <html lang="en">
      <head>
      <meta charset="utf-8">
      <meta name="viewport" content="width=device-width, initial-scale=1">
      <title>\(title) · Upkeep</title>
      <link rel="icon" href="/assets/icon.svg" type="image/svg+xml">
      <link rel="stylesheet" href="/assets/app.css">
      <script src="/assets/app.js" defer></script>
      </head>
      <body data-etag="\(etag)"\(fresh)>
      <a class="skip" href="#content">Skip to the content</a>
      <header class="top"><nav aria-label="Pages">
      <a class="brand" href="/">Upkeep</a>
      \(links)\(logout)
      </nav></header>
      <main id="content" tabindex="-1">
      \(content)
      </main>
      <div id="notice" role="alert"></div>
      <footer>Upkeep \(Upkeep.version). Times are on your clock; UTC shows when you point at one.
      <span class="without-script">Without JavaScript times are in UTC, and nothing can be started or changed here: use the
      command line.</span></footer>
      </body>
      </html>
      """
  }
}
