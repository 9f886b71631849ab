"""The longest common subsequence against a plain implementation."""

from hypothesis import given
from hypothesis import strategies as st

from carnelian.datatypes.algorithms.lcs import compare, table_size

TEXTS = st.text("abc", max_size=12).map(str.encode)


def length(a: bytes, b: bytes) -> int:
    row = [0] * (len(b) + 1)
    for x in a:
        above, row = row, [0]
        for j, y in enumerate(b):
            row.append(above[j] + 1 if x == y else max(above[j + 1], row[j]))
    return row[-1]


def is_subsequence(part: bytes, whole: bytes) -> bool:
    rest = iter(whole)
    return all(byte in rest for byte in part)


@given(TEXTS, TEXTS)
def test_a_common_subsequence_as_long_as_any(a: bytes, b: bytes) -> None:
    found, _ = compare(a, b)
    assert len(found) == length(a, b)
    assert is_subsequence(found, a)
    assert is_subsequence(found, b)


@given(TEXTS, TEXTS)
def test_runs_spell_the_subsequence_backwards(a: bytes, b: bytes) -> None:
    found, runs = compare(a, b)
    assert b"".join(a[at : at + size] for at, _, size in reversed(runs)) == found
    assert b"".join(b[at : at + size] for _, at, size in reversed(runs)) == found


def test_neighbouring_matches_are_one_run() -> None:
    assert compare(b"ohmytext", b"mynewtext") == (b"mytext", [(4, 5, 4), (2, 0, 2)])


def test_nothing_in_common() -> None:
    assert compare(b"", b"abc") == (b"", [])
    assert compare(b"abc", b"xyz") == (b"", [])


def test_table_size() -> None:
    assert table_size(b"abc", b"abcd") == 4 * 5 * 4
