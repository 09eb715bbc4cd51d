import Testing
import UpkeepConfiguration
import UpkeepCore
import UpkeepRuns

/// The key `except` of tasks and of databases.
struct ExceptTests {
  private func task(_ except: String) -> String {
    "databases: {odds: {sqlite: /x}}\ntasks:\n  odds_retention:\n    settings: {database: odds}\n    except: \(except)\n"
  }

  @Test func readsExpressionsAndKeys() throws {
    let yaml = task("[{table: events, where: \"sportradar_id IN ('s1','s2')\"}, {table: jobs, keys: [1, a]}]")
    #expect(
      try configuration(yaml).task("odds_retention")?.rules.exceptions == [
        RowException(table: "events", rows: .matching("sportradar_id IN ('s1','s2')")),
        RowException(table: "jobs", rows: .keys([.integer(1), .text("a")])),
      ])
  }

  @Test func givesEveryTaskTheExceptionsOfTheDatabases() throws {
    let host = try configuration(
      """
      databases:
        odds: { sqlite: /x, except: [{ table: events, keys: [7] }] }
      tasks:
        odds_retention: { settings: { database: odds }, except: [{ table: events, where: a }] }
        again: { plugin: odds_retention, settings: { database: odds } }
      """)
    let held = RowException(database: "odds", table: "events", rows: .keys([.integer(7)]))
    #expect(host.task("again")?.rules.exceptions == [held])
    #expect(
      host.task("odds_retention")?.rules.exceptions == [RowException(table: "events", rows: .matching("a")), held])
    #expect(host.database("odds")?.exceptions == [held])
    #expect(
      host.effective["databases.odds.except"]?.value
        == .array([.object(["table": "events", "where": .null, "keys": .array([.integer(7)])])]))
  }

  static let broken = [
    ("{}", "5:13 [bad_type] except: expected a list of maps, found a map"),
    ("[events]", "5:14 [bad_type] except.0: expected a map of keys, found \"events\""),
    ("[{where: a}]", "5:14 [missing_key] except.0: table is missing; the table"),
    (
      "[{table: events}]",
      "5:22 [bad_value] except.0: table: expected where or keys beside it, to say which rows"
    ),
    (
      "[{table: events, where: a, keys: [1]}]",
      "5:46 [bad_value] except.0: keys: where and keys can't both be given; write two entries"
    ),
    ("[{table: events, keys: []}]", "5:36 [bad_value] except.0: keys: expected at least one key"),
    (
      "[{table: events, keys: [1.5]}]",
      "5:37 [bad_type] except.0: keys.0: expected a whole number or a text, found the number 1.5"
    ),
    ("[{table: events, wher: a, keys: [1]}]", "5:30 [unknown_key] except.0: unknown key wher; did you mean where?"),
    ("[{table: events, where: \"a; b\"}]", "5:37 [bad_expression] except.0: where: expected one expression, found ;"),
    ("[{table: events, where: \"(a\"}]", "5:37 [bad_expression] except.0: where: a parenthesis is never closed"),
  ]

  @Test(arguments: broken)
  func reportsMistakesWhereTheyStand(except: String, expected: String) {
    #expect(problems(load(task(except))) == [expected])
  }

  @Test func warnsWhereATaskDeletesNoRows() {
    #expect(
      problems(load("tasks:\n  noop:\n    except: [{table: a, keys: [1]}]\n")) == [
        "3:5 [unused_except] except has no effect: noop neither deletes nor changes rows"
      ])
  }

  @Test func isDescribedKeyByKey() {
    let rows = SettingRow.rows(ConfigurationReference.task).filter { $0.key.hasPrefix("except") }
    #expect(rows.map(\.key) == ["except", "except[].table", "except[].where", "except[].keys"])
    #expect(rows.map(\.standard) == ["[]", "required", "", ""])
    let database = SettingRow.rows(ConfigurationReference.database)
    #expect(database.contains { $0.key == "except[].where" })
  }

  @Test func standsInTheSchema() {
    guard case .object(let schema) = JSONSchema.schema(plugins: plugins), case .object(let types) = schema["$defs"]
    else { return #expect(Bool(false)) }
    for type in ["task", "database"] {
      let text = types[type]?.text ?? ""
      #expect(text.contains("except"))
    }
  }
}
