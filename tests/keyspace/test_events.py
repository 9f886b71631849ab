"""Classes of events: the two lists of their bits, and their letters."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from carnelian.keyspace import events


def test_compiled_modules_see_the_same_bits():
    header = Path(events.__file__).with_suffix(".pxd").read_text()
    declared = {
        name: int(bits) for name, bits in re.findall(r"^    ([A-Z_]+) = (\d+)$", header, re.M)
    }
    named = {name: bits for name, bits in vars(events).items() if isinstance(bits, int)}
    for name in [*named]:
        if name == "ALL" or name.startswith("SUBKEY"):
            del named[name]  # not for compiled modules
    assert declared == named


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("", ""),
        ("KEA", "AKE"),
        ("KEg$lshzxetda", "AKE"),
        ("KEg$lshzxetd", "g$lshzxetdKE"),
        ("Ex", "xE"),
        ("gKm", "gKm"),
        ("AKEmn", "AnKEm"),
        ("VITSmcoK", "ocKmSTIV"),
        ("AcoKE", "AocKE"),
        ("zz$", "$z"),
    ],
)
def test_letters_stand_for_classes(text: str, shown: str):
    assert events.format_classes(events.parse_classes(text)) == shown


def test_all_leaves_out_what_is_no_change():
    apart = events.KEY_MISS | events.NEW | events.OVERWRITTEN | events.TYPE_CHANGED
    assert events.parse_classes("A") & (apart | events.SUBKEY) == 0


def test_an_unknown_letter_is_refused():
    with pytest.raises(ValueError, match="'q'"):
        events.parse_classes("Kq")
