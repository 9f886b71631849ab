"""What the runner makes of what programs print."""

from __future__ import annotations

from pathlib import Path

import pytest

from interop.outcomes import Outcome, Record, put_between_marks, table

PRINTED = """version redigo 1.9.3
ok strings
noise of the client
none resp3: speaks RESP2
fail tls: it is what it is
"""


def read(text: str, status: int) -> Outcome:
    outcome = Outcome("redigo", "Go")
    outcome.read(text, status)
    return outcome


def test_lines_of_a_program() -> None:
    outcome = read(PRINTED, 1)
    assert outcome.version == "1.9.3"
    assert outcome.steps == {"strings": "ok", "resp3": "none", "tls": "fail"}
    assert outcome.why == {"resp3": "speaks RESP2", "tls": "it is what it is"}
    assert outcome.failed == ["tls"]
    assert outcome.summary() == "1 of 3; has no resp3; **failed**: tls"


def test_all_that_a_client_has_was_done() -> None:
    outcome = read("ok a\nok sorted_sets\nnone c: why\n", 0)
    assert outcome.summary() == "all 2; has no c"
    assert outcome.summary(names=True) == "a, sorted sets; has no c"


@pytest.mark.parametrize(("text", "status"), [("ok strings\n", 139), ("", 0), ("", 1)])
def test_a_program_that_ends_badly_has_failed(text: str, status: int) -> None:
    outcome = read(text, status)
    assert outcome.failed == ["end"]
    assert outcome.why == {"end": f"exit status {status}"}


def test_a_record_keeps_the_newest_that_was_run(tmp_path: Path) -> None:
    path = tmp_path / "languages.json"
    Record(path).add(read("ok strings\n", 0))
    Record(path).add(read(PRINTED, 1))
    Record(path).add(Outcome("redigo", "Go", skipped="apt install golang-go"))
    Record(path).add(Outcome("fred", "Rust", skipped="apt install cargo"))
    found = Record(path).outcomes
    assert found["redigo"] == read(PRINTED, 1)
    assert found["fred"].summary() == "not run: needs apt install cargo"


def test_a_table_between_marks(tmp_path: Path) -> None:
    page = tmp_path / "README.md"
    page.write_text("before\n<!-- x -->\nold\n<!-- /x -->\nafter\n")
    put_between_marks(page, "x", table([read("version redigo 1\nok a\n", 0)], "client"))
    assert page.read_text() == (
        "before\n<!-- x -->\n| | client | version | steps |\n| --- | --- | --- | --- |\n"
        "| Go | redigo | 1 | all 1 |\n<!-- /x -->\nafter\n"
    )
    with pytest.raises(ValueError, match="has no <!-- y -->"):
        put_between_marks(page, "y", "")
