"""What is written about the configuration is true."""

from __future__ import annotations

from pathlib import Path

from carnelian.engine.config import Config
from carnelian.engine.config.directives import DIRECTIVES
from carnelian.engine.config.reference import tables, updated

ROOT = Path(__file__).parents[2]
PAGE = ROOT / "docs" / "configuration.md"


def test_the_tables_are_those_of_the_declarations() -> None:
    page = PAGE.read_text()
    assert page == updated(page), (
        "run: python -m carnelian.engine.config.reference docs/configuration.md"
    )


def test_every_directive_is_listed_once() -> None:
    for directive in DIRECTIVES:
        assert tables().count(f"| `{directive.name}`") == 1


def test_an_effective_directive_is_read_somewhere() -> None:
    package = ROOT / "src" / "carnelian"
    sources = [p for p in package.rglob("*.py") if package / "engine" / "config" not in p.parents]
    # It has the names of those that are not heeded.
    sources.remove(package / "embedded" / "options" / "directives.py")
    text = "".join(path.read_text() for path in sources)
    # One is read by the configuration itself, two by a name put together.
    known = {"enable-protected-configs", "shutdown-on-sigint", "shutdown-on-sigterm"}
    effective = {d.name for d in DIRECTIVES if d.effective}
    assert {name for name in effective if f'"{name}"' not in text} == known


def test_summaries_are_sentences() -> None:
    for directive in DIRECTIVES:
        assert directive.summary.endswith("."), directive
        assert "|" not in directive.summary


def test_the_example_is_read_and_says_what_is_the_default() -> None:
    config = Config(str(ROOT))
    config.load_file(str(ROOT / "carnelian.conf"))
    # It listens on this machine only, and a subscriber's soft limit is given in full.
    assert config.values == Config(str(ROOT)).values | {"bind": ("127.0.0.1", "-::1")}
