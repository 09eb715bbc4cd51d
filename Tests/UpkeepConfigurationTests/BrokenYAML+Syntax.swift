/// What isn't YAML, or is more of YAML than is read.
let brokenSyntax: [BrokenYAML] = [
  BrokenYAML(
    "empty file",
    "",
    "1:1 [empty_file] the file is empty; `upkeep init` writes a commented one"),
  BrokenYAML(
    "only a comment",
    "# nothing\n",
    "1:1 [empty_file] the file is empty; `upkeep init` writes a commented one"),
  BrokenYAML(
    "only a document marker",
    "---\n",
    "1:1 [empty_file] the file is empty; `upkeep init` writes a commented one"),
  BrokenYAML(
    "a text instead of a map",
    "hello\n",
    "1:1 [bad_type] expected a map of version, host, databases, tasks, groups, found \"hello\""),
  BrokenYAML(
    "a list instead of a map",
    "- a\n",
    "1:1 [bad_type] expected a map of version, host, databases, tasks, groups, found a list"),
  BrokenYAML(
    "two documents",
    "version: 1\n---\nversion: 1\n",
    "2:1 [multiple_documents] a second document begins here; write one document"),
  BrokenYAML(
    "tab as indentation",
    "host:\n\tlisten: a:1\n",
    "2:1 [yaml_tab] a tab can't be used for indentation; write blanks"),
  BrokenYAML(
    "tab behind blanks",
    "host:\n  listen: a:1\n\ttime_zone: UTC\n",
    "3:1 [yaml_tab] a tab can't be used for indentation; write blanks"),
  BrokenYAML(
    "unknown anchor",
    "host: *nope\n",
    "1:7 [undefined_alias] unknown alias *nope; expected an anchor &nope before it"),
  BrokenYAML(
    "slip in an alias",
    "host: {time_zone: &zone UTC, listen: *zome}\n",
    "1:38 [undefined_alias] unknown alias *zome; did you mean *zone?"),
  BrokenYAML(
    "alias in itself",
    "host: &h {listen: *h}\n",
    "1:19 [undefined_alias] *h stands for a value that it is part of; write the value out"),
  BrokenYAML(
    "merge key",
    "host:\n  <<: {listen: 'a:1'}\n",
    "2:3 [merge_key] merge keys (<<) aren't supported; write the keys out"),
  BrokenYAML(
    "duplicate key",
    "version: 1\nhost: {}\nversion: 1\n",
    "3:1 [duplicate_key] version is given twice, first in line 1; remove one of them"),
  BrokenYAML(
    "duplicate task",
    "tasks:\n  noop:\n  noop:\n",
    "3:3 [duplicate_key] noop is given twice, first in line 2; remove one of them"),
  BrokenYAML(
    "duplicate key in flow",
    "host: {listen: 'a:1', listen: 'b:1'}\n",
    "1:23 [duplicate_key] listen is given twice, first in line 1; remove one of them"),
  BrokenYAML(
    "list as key",
    "? [a]\n: b\n",
    "1:3 [bad_key] a key must be a plain text"),
  BrokenYAML(
    "map as key",
    "{{a: b}: c}\n",
    "1:2 [bad_key] a key must be a plain text"),
  BrokenYAML(
    "alias as key",
    "a: &x y\n*x : b\n",
    "1:1 [unknown_key] unknown key a; expected one of version, host, databases, tasks, groups",
    "2:1 [bad_key] a key must be a plain text"),
  BrokenYAML(
    "unknown tag",
    "version: !!python/object 1\n",
    "1:10 [unknown_tag] unknown tag !!python/object; write the value without a tag"),
  BrokenYAML(
    "own tag",
    "version: !foo 1\n",
    "1:10 [unknown_tag] unknown tag !foo; write the value without a tag"),
  BrokenYAML(
    "tag that lies",
    "version: !!int abc\n",
    "1:16 [unknown_tag] the value isn't what its tag !!int says; write the value without a tag",
    "1:16 [unsupported_version] version: expected 1, found \"abc\""),
  BrokenYAML(
    "undefined tag handle",
    "version: !e!x 1\n",
    "1:10 [unknown_tag] unknown tag; write the value without a tag"),
  BrokenYAML(
    "unclosed quotes",
    "host:\n  listen: \"a:1\n",
    "2:11 [yaml_syntax] the quotes that begin here don't end"),
  BrokenYAML(
    "unclosed single quotes",
    "version: '1\n",
    "1:10 [yaml_syntax] the quotes that begin here don't end"),
  BrokenYAML(
    "unclosed bracket",
    "groups:\n  g: [a, b\n",
    "2:6 [yaml_syntax] expected , or ] in the list that begins here with ["),
  BrokenYAML(
    "unclosed brace",
    "host: {listen: 'a:1'\n",
    "1:7 [yaml_syntax] expected , or } in the map that begins here with {"),
  BrokenYAML(
    "bad indentation",
    "host:\n  listen: a:1\n time_zone: UTC\n",
    "3:2 [yaml_syntax] expected a key here; check that it is indented as the keys before it are"),
  BrokenYAML(
    "key deeper than its neighbours",
    "host:\n  listen: a:1\n    time_zone: UTC\n",
    "3:14 [yaml_syntax] a key can't stand here; check the indentation, or put a text with a colon in quotes"),
  BrokenYAML(
    "no colon",
    "host:\n  listen a:1\n  time_zone: UTC\n",
    "3:12 [yaml_syntax] a key can't stand here; check the indentation, or put a text with a colon in quotes"),
  BrokenYAML(
    "colon in a plain text",
    "tasks:\n  noop:\n    cron: a: b\n",
    "3:12 [yaml_syntax] a key can't stand here; check the indentation, or put a text with a colon in quotes"),
  BrokenYAML(
    "unknown escape",
    "version: \"\\q\"\n",
    "1:11 [yaml_syntax] unknown escape; write \\\\ for a backslash, or use single quotes"),
  BrokenYAML(
    "at sign",
    "version: @1\n",
    "1:10 [yaml_syntax] a text can't begin with @; put it in quotes"),
  BrokenYAML(
    "backtick",
    "version: `1`\n",
    "1:10 [yaml_syntax] a text can't begin with `; put it in quotes"),
  BrokenYAML(
    "percent",
    "version: %1\n",
    "1:10 [yaml_syntax] a text can't begin with %; put it in quotes"),
  BrokenYAML(
    "control character",
    "version: 1\u{7}\n",
    "1:11 [yaml_control_character] a control character can't stand in YAML; remove it"),
  BrokenYAML(
    "list element in a map",
    "host:\n  listen: a:1\n  - b\n",
    "3:3 [yaml_syntax] expected a key here; check that it is indented as the keys before it are"),
  BrokenYAML(
    "list on a key's line",
    "groups:\n  g: - a\n",
    "2:6 [yaml_syntax] a list can't begin here; put \"- \" on a line of its own"),
  BrokenYAML(
    "bracket too many",
    "groups:\n  g: [a]]\n",
    "2:9 [yaml_syntax] expected a key here; check that it is indented as the keys before it are"),
  BrokenYAML(
    "no value after alias sign",
    "host: * \n",
    "1:8 [yaml_syntax] expected a name behind *; put a text that begins with * in quotes"),
  BrokenYAML(
    "yaml 3",
    "%YAML 3.0\n---\nversion: 1\n",
    "1:1 [yaml_syntax] expected YAML 1.2; leave the %YAML line out"),
]
