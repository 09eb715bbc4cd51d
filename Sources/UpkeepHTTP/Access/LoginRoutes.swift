/// The page to log in at, for browsers: it wants the token once and gives a cookie for it.
struct LoginRoutes {
  private let rules: AccessRules
  private let sessions: Sessions

  init(_ rules: AccessRules, _ sessions: Sessions) {
    self.rules = rules
    self.sessions = sessions
  }

  private static let answers = [RouteAnswer(200, "The page", .page)]

  var routes: [Route] {
    [
      Route("GET", "/login", "The page to log in at", answers: Self.answers) { request in
        // Everything else wants the token, so the page's own style comes from its own address.
        request.request.query["style"] == nil ? Self.page(status: 200) : Assets.style
      },
      Route("POST", "/login", "Takes the token and begins a session", answers: Self.answers) {
        [rules, sessions] request in
        guard rules.isToken(request.request.form["token"] ?? "") else {
          return Self.page(status: 401, "This isn't the token of this server.")
        }
        return WebResponse(status: 303, headers: [("Location", "/"), sessions.begin()])
      },
      Route("POST", "/logout", "Ends a session", answers: Self.answers) { [sessions] request in
        WebResponse(status: 204, headers: [sessions.end(request.request)])
      },
    ]
  }

  /// The page; it says nothing of what is at the address that was asked for.
  static func page(status: Int, _ fault: String? = nil) -> WebResponse {
    let line: HTML? = fault.map { "<p class=\"bad\" role=\"alert\">\($0)</p>" }
    let page: HTML = """
      <!doctype html>
      <html lang="en">
      <head>
      <meta charset="utf-8">
      <meta name="viewport" content="width=device-width, initial-scale=1">
      <title>Log in · Upkeep</title>
      <link rel="stylesheet" href="/login?style">
      </head>
      <body class="login">
      <main>
      <h1>Upkeep</h1>
      <form method="post" action="/login">
      \(line)
      <label for="token">Token</label>
      <input id="token" name="token" type="password" autocomplete="current-password" required autofocus>
      <button type="submit">Log in</button>
      <p class="hint">It is in the file that <code>host.token_file</code> names, or in <code>UPKEEP_TOKEN</code>.</p>
      </form>
      </main>
      </body>
      </html>
      """
    // A browser that lacks a token isn't asked for one in a window of its own: WWW-Authenticate is for programs.
    return .page(page, status: status)
  }
}
