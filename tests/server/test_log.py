import os
import re
from pathlib import Path

import pytest

from carnelian.server.system.log_file import Log

LINE = re.compile(r"(\d+):([MSCX]) \d\d [A-Z][a-z]{2} \d{4} \d\d:\d\d:\d\d\.\d{3} ([.*#-]) (.*)\n")


def test_a_line_has_the_form_of_redis(tmp_path: Path):
    path = tmp_path / "log"
    log = Log("debug", str(path))
    log.adopt_process()
    for level in ("debug", "verbose", "notice", "warning"):
        log(level, f"said at {level}")
    found = LINE.findall(path.read_text())
    assert found == [
        (str(os.getpid()), "M", ".", "said at debug"),
        (str(os.getpid()), "M", "-", "said at verbose"),
        (str(os.getpid()), "M", "*", "said at notice"),
        (str(os.getpid()), "M", "#", "said at warning"),
    ]


def test_another_process_is_marked_as_a_child(tmp_path: Path):
    path = tmp_path / "log"
    log = Log("notice", str(path))
    log("notice", "before the server is one")
    assert LINE.findall(path.read_text())[0][1] == "C"


@pytest.mark.parametrize(
    ("level", "expected"),
    [("debug", 4), ("verbose", 3), ("notice", 2), ("warning", 1), ("nothing", 0)],
)
def test_the_level_can_change_while_running(tmp_path: Path, level: str, expected: int):
    path = tmp_path / "log"
    path.touch()
    log = Log("nothing", str(path))
    log.set_level(level)
    for name in ("debug", "verbose", "notice", "warning"):
        log(name, "x")
    assert len(path.read_text().splitlines()) == expected


def test_a_log_that_was_moved_away_begins_anew(tmp_path: Path):
    path = tmp_path / "log"
    log = Log("notice", str(path))
    log("notice", "first")
    path.rename(tmp_path / "log.1")
    log("notice", "second")
    assert "first" in (tmp_path / "log.1").read_text()
    assert "second" in path.read_text()
    assert "first" not in path.read_text()


def test_a_log_that_cannot_be_written_is_no_error(tmp_path: Path):
    Log("notice", str(tmp_path / "missing" / "log"))("warning", "lost")


def test_bytes_that_are_not_text_survive(tmp_path: Path):
    path = tmp_path / "log"
    Log("notice", str(path))("notice", b"\xff\xfe".decode("utf-8", "surrogateescape"))
    assert b"\xff\xfe" in path.read_bytes()
