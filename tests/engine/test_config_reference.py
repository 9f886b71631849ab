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


def test_summaries_are_sentences() -> None:
    for directive in DIRECTIVES:
        assert directive.summary.endswith("."), directive
        assert "|" not in directive.summary


def test_the_example_is_read_and_says_what_is_the_default() -> None:
    config = Config(str(ROOT))
    config.load_file(str(ROOT / "carnelian.conf"))
    # It listens on this machine only, and a subscriber's soft limit is given in full.
    assert config.values == Config(str(ROOT)).values | {"bind": ("127.0.0.1", "-::1")}
