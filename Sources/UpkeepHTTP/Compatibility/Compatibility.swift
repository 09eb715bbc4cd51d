/// Routes that keep the shapes of the applications whose jobs Upkeep takes over: their front ends work unchanged.
enum Compatibility {
  /// Whether a path is one of them.
  static func holds(_ path: [String]) -> Bool {
    path.count > 1 && path[0] == "api" && ["cleanup", "jobs"].contains(path[1])
  }
}
