"""The runner itself: reading the suite's output, the list of exclusions, the run tree."""

from pathlib import Path

import pytest

from . import expected, source, tree
from .expected import Unit
from .results import Failure, parse

OUTPUT = """\
Starting test server at port 11008
[ready]: 4711
Testing unit/other
[ok]: APPEND basics (3 ms)
[ok]: odd name (with brackets) (12 ms)
[skip]: BGSAVE
[ignore]: large one: large memory flag not provided
[err]: FLUSHDB in tests/unit/other.tcl
Expected '1' to be equal to '0'
(context: line 3)
[ok]: last (0 ms)
Waiting for process 5 to exit...
[1/1 done]: unit/other (3 seconds)

                   The End

!!! WARNING The following tests failed:

*** [err]: FLUSHDB in tests/unit/other.tcl
"""


def test_output_is_sorted_by_status():
    result = parse("unit/other", OUTPUT.splitlines(keepends=True))
    assert result.passed == ["APPEND basics", "odd name (with brackets)", "last"]
    assert result.skipped == ["BGSAVE"]
    assert result.ignored == ["large one: large memory flag not provided"]
    detail = ["Expected '1' to be equal to '0'", "(context: line 3)"]
    assert result.failed == [Failure("FLUSHDB", detail)]
    assert result.finished


@pytest.mark.parametrize(
    ("line", "name"),
    [
        ("[exception]: Executing test client: oops", "exception outside of a test"),
        ("[TIMEOUT]: clients state report follows.", "no progress, run given up"),
        ("Forcing process 12 to crash...", "server stops on SIGTERM within ten seconds"),
    ],
)
def test_trouble_outside_of_tests_is_a_failure(line: str, name: str):
    result = parse("unit/x", [line])
    assert [failure.name for failure in result.failed] == [name]
    assert not result.finished


def test_every_exclusion_has_a_known_reason():
    wanted = expected.load()
    assert "unit/type/string" in wanted.units
    used = {reason for unit in wanted.units.values() for reason in unit.excluded.values()}
    assert used <= wanted.reasons.keys()


def test_unknown_reasons_and_doubles_are_refused(tmp_path: Path):
    listed = tmp_path / "expected.toml"
    listed.write_text('[reasons]\na = "x"\n["unit/x".excluded]\nb = ["t"]\n')
    with pytest.raises(ValueError, match=r"unit/x: unknown reasons \['b'\]"):
        expected.load(listed)
    listed.write_text('[reasons]\na = "x"\nb = "y"\n["unit/x".excluded]\na = ["t"]\nb = ["t"]\n')
    with pytest.raises(ValueError, match="'t' is excluded twice"):
        expected.load(listed)


def test_run_tree_puts_the_server_under_the_name_the_suite_calls(tmp_path: Path):
    suite = tmp_path / "source" / "tests" / "unit"
    suite.mkdir(parents=True)
    (suite / "x.tcl").write_text("    test {one} {\n    }\n    test {two} {\n    }\n")
    unit = Unit("unit/x", insert_before={"two": "r flushdb"})
    tree.lay_out(tmp_path / "run", tmp_path / "source", ["/bin/echo", "a b"], unit)
    launcher = (tmp_path / "run" / "src" / "redis-server").read_text()
    assert launcher == "#!/bin/sh\nexec /bin/echo 'a b' \"$@\"\n"
    changed = (tmp_path / "run" / "tests" / "unit" / "x.tcl").read_text().splitlines()
    assert changed[2] == "    r flushdb"
    assert (suite / "x.tcl").read_text().splitlines()[2] == "    test {two} {"


def test_source_entries_are_derived_from_the_machines_own():
    deb822 = (
        "Types: deb\nURIs: http://deb.debian.org/debian\nSuites: bookworm bookworm-updates\n"
        "Components: main\n\n"
        "Types: deb\nURIs: https://example.org\nSuites: nodistro\nComponents: main\n"
    )
    assert source._deb822_sources(deb822, "bookworm") == (
        "Types: deb-src\nURIs: http://deb.debian.org/debian\nSuites: bookworm bookworm-updates\n"
        "Components: main\n"
    )
    one_line = (
        "# a comment\n"
        "deb [signed-by=/k.gpg] http://deb.debian.org/debian bookworm main contrib\n"
        "deb-src http://deb.debian.org/debian bookworm-updates main\n"
        "deb https://example.org stable main\n"
    )
    assert source._one_line_sources(one_line, "bookworm") == (
        "deb-src [signed-by=/k.gpg] http://deb.debian.org/debian bookworm main contrib\n"
        "deb-src http://deb.debian.org/debian bookworm-updates main\n"
    )


def test_missing_source_names_the_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv(source.SOURCE_VARIABLE, str(tmp_path))
    with pytest.raises(source.Missing, match=str(tmp_path)):
        source.find_or_fetch()
