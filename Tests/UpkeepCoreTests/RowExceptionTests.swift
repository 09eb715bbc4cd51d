import Testing
import UpkeepCore

struct RowExceptionTests {
  @Test(arguments: [
    "code = 'b'", "code IN ('s1','s2')", "a = ';--?' AND (b OR (c))", "\"odd ? name\" > 1", "[a;b] - -1", "`x` / 2",
    "name = 'it''s'", "x -> '$.a'",
  ])
  func takesOneExpression(text: String) {
    #expect(SQLExpression.problem(in: text) == nil)
  }

  @Test(arguments: [
    ("", "expected an SQL expression, found nothing"), (" \n", "expected an SQL expression, found nothing"),
    ("1; DROP TABLE t", "expected one expression, found ;"), ("1;\u{301}", "expected one expression, found ;"),
    ("1) OR (1", "a parenthesis is closed that was never opened"), ("(1", "a parenthesis is never closed"),
    ("1 -- all", "expected an expression without comments, found --"),
    ("1 /* all", "expected an expression without comments, found /*"), ("a = 'b", "' is never closed"),
    ("a = \"b", "\" is never closed"), ("[a", "[ is never closed"),
    ("a = ?1", "expected an expression without parameters, found ?"),
    ("a = :b", "expected an expression without parameters, found :"),
    ("a = '' @b", "expected an expression without parameters, found @"), ("1\0", "expected a text without NUL"),
  ])
  func refusesAnythingElse(text: String, problem: String) {
    #expect(SQLExpression.problem(in: text) == problem)
  }
}
