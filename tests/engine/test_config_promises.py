"""What a configuration asks for and is not there is refused, or said, but never passed over."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import pytest

import carnelian
from carnelian.engine.config import Config, ConfigFileError
from carnelian.engine.config.directives import DIRECTIVES
from carnelian.resp.replies import Error
from server.peers import ServerProcess


def reason(*lines: str) -> str:
    """Why a configuration is refused; "" if it is taken."""
    try:
        Config().load_text("\n".join(lines))
    except ConfigFileError as error:
        return error.reason
    return ""


# -- Directives ------------------------------------------------------------------------------------

BINDING = {
    "hide-user-data-from-log": ("yes", "redaction"),
}


def test_these_are_refused() -> None:
    assert {d.name for d in DIRECTIVES if d.binding} == BINDING.keys()
    assert all(d.awaits for d in DIRECTIVES if d.binding)


@pytest.mark.parametrize("name", BINDING)
def test_a_promise_that_cannot_be_kept_is_refused(name: str) -> None:
    value, feature = BINDING[name]
    refusal = f"this needs {feature}, which Carnelian does not have yet"
    directive = next(d for d in DIRECTIVES if d.name == name)
    for spelling in filter(None, (name, directive.alias)):
        assert reason(f"{spelling} {value}") == refusal
    config = Config()
    default = config.get([name.encode()])[0][1].decode()
    if default:
        assert reason(f"{name} {default}") == ""
    with pytest.raises(Error) as caught:
        config.set([(name.encode(), value.encode())])
    immutable = "immutable" in directive.flags
    assert str(caught.value) == (
        f"ERR CONFIG SET failed (possibly related to argument '{name}') - "
        + ("can't set immutable config" if immutable else refusal)
    )
    with pytest.raises((TypeError, ValueError), match=f"has no use for|{refusal}"):
        directives: Any = {name.replace("-", "_"): value.split()}
        carnelian.Engine(None, **directives)


def test_no_primary_is_what_holds() -> None:
    assert reason("replicaof no one") == ""


def test_what_has_no_effect_is_told() -> None:
    config = Config()
    warned: list[str] = []
    config.warn = warned.append
    config.load_text("locale-collate de_DE\nio-threads 4\ntimeout 9\n")
    assert config.idle() == [
        "WARNING: no effect here: io-threads",
        "WARNING: no effect until there is sorting by locale: locale-collate",
    ]
    config.set([(b"locale-collate", b""), (b"timeout", b"6")])
    config.set([(b"locale-collate", b"C")])
    assert warned == 2 * ["WARNING: no effect until there is sorting by locale: locale-collate"]


def test_what_has_an_effect_awaits_nothing() -> None:
    """The other way round than what is said to have one: nothing else reads these."""
    package = Path(sys.modules["carnelian"].__path__[0])
    sources = [p for p in package.rglob("*.py") if package / "engine" / "config" not in p.parents]
    # It says of each why it is of no use there.
    sources.remove(package / "embedded" / "options" / "directives.py")
    text = "".join(path.read_text() for path in sources)
    waiting = [d.name for d in DIRECTIVES if d.awaits]
    assert not {name for name in waiting if f'"{name}"' in text}


# -- Servers ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("arguments", "line", "why"),
    [
        (("--hide-user-data-from-log", "yes"), 'hide-user-data-from-log "yes"',
         "this needs redaction, which Carnelian does not have yet"),
    ],
)  # fmt: skip
def test_a_server_does_not_start(tmp_path: Path, arguments, line: str, why: str) -> None:
    server = ServerProcess(tmp_path, *arguments)
    assert server.process.wait(20) == 1
    assert f">>> '{line}'\n{why}\n" in server.log


def test_a_server_tells_what_has_no_effect(tmp_path: Path) -> None:
    server = ServerProcess(tmp_path, "--save", "", "--locale-collate", "C").wait_until_ready()
    line = "# WARNING: no effect until there is sorting by locale: locale-collate\n"
    assert line in server.log
    assert server.connect().call("CONFIG", "SET", "locale-collate", "de_DE") == b"+OK"
    assert server.log.count(line) == 2
    server.stop()


def test_an_embedded_engine_tells_it(caplog: pytest.LogCaptureFixture) -> None:
    with carnelian.Engine() as engine:
        engine.execute("CONFIG", "SET", "locale-collate", "C")
    assert [record.getMessage() for record in caplog.records] == [
        "WARNING: no effect until there is sorting by locale: locale-collate",
    ]
