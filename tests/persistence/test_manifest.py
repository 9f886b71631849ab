"""The manifest of a multi-part append-only file: text, errors, changes, and the file itself."""

from __future__ import annotations

from pathlib import Path

import pytest

from carnelian.persistence.aof import manifest
from carnelian.persistence.aof.manifest import Manifest, ManifestError, Part, StoreError

TEXT = (
    b"file a.aof.2.base.rdb seq 2 type b\n"
    b"file a.aof.1.incr.aof seq 1 type h\n"
    b"file a.aof.2.incr.aof seq 2 type i\n"
    b"file a.aof.3.incr.aof seq 3 type i\n"
)


def test_reads_and_writes_the_same_text() -> None:
    read = manifest.parse(TEXT)
    assert read.base == Part("a.aof.2.base.rdb", 2, "b")
    assert [part.number for part in read.increments] == [2, 3]
    assert [part.name for part in read.history] == ["a.aof.1.incr.aof"]
    assert (read.base_number, read.increment_number) == (2, 3)
    assert read.render() == TEXT
    assert not read.changed


def test_takes_comments_unknown_pairs_quotes_and_any_case() -> None:
    text = (
        b"# made by hand\n"
        b'FILE "a b\\x01" SEQ 1 TYPE incremental later yes\r\n'
        b"type b seq 7x file plain\n"
    )
    read = manifest.parse(text)
    assert read.increments == [Part("a b\x01", 1, "i")]
    assert read.base == Part("plain", 7, "b")
    assert read.render() == b'file plain seq 7 type b\nfile "a b\\x01" seq 1 type i\n'


@pytest.mark.parametrize(
    ("text", "message", "number", "line"),
    [
        (b"", "Found an empty AOF manifest", 0, None),
        (b"\n", "Invalid AOF manifest file format", 1, b""),
        (TEXT + b"\n", "Invalid AOF manifest file format", 5, b""),
        (b"filx a seq 1 type b\n", "Invalid AOF manifest file format", 1, b"filx a seq 1 type b"),
        (b"file a seq 0 type b\n", "Invalid AOF manifest file format", 1, b"file a seq 0 type b"),
        (b"file a type b\n", "Invalid AOF manifest file format", 1, b"file a type b"),
        (b"file a seq 1 type b x\n", "Invalid AOF manifest file format", 1, None),
        (b'file "a seq 1 type b\n', "Invalid AOF manifest file format", 1, None),
        (b"file d/a seq 1 type b\n", "File can't be a path, just a filename", 1, None),
        (b"file a seq 1 type x\n", "Unknown AOF file type", 1, None),
        (b"file a seq 1 type b", "The AOF manifest file contains too long line", 0, None),
        (b"file %s seq 1 type b\n" % (b"a" * 1010), "The AOF manifest file contains too long line",
         0, None),
        (TEXT[:35] * 2, "Found duplicate base file information", 2, None),
        (b"file a seq 2 type i\nfile b seq 2 type i\n", "Found a non-monotonic sequence number",
         2, b"file b seq 2 type i"),
    ],
)  # fmt: skip
def test_errors(text: bytes, message: str, number: int, line: bytes | None) -> None:
    with pytest.raises(ManifestError) as caught:
        manifest.parse(text)
    assert caught.value.message == message
    assert caught.value.number == number
    if line is not None:
        assert caught.value.line == line


def test_reports_where_it_makes_no_sense() -> None:
    with pytest.raises(ManifestError) as caught:
        manifest.parse(b"file a seq 1 type x\n")
    assert caught.value.report() == [
        "\n*** FATAL AOF MANIFEST FILE ERROR ***\n",
        "Reading the manifest file, at line 1\n",
        ">>> 'file a seq 1 type x'\n",
        "Unknown AOF file type\n",
    ]
    with pytest.raises(ManifestError) as caught:
        manifest.parse(b"")
    assert len(caught.value.report()) == 2


def test_the_life_of_a_log() -> None:
    files = Manifest()
    assert files.new_base("a", ".rdb") == "a.1.base.rdb"
    assert files.last_increment("a") == "a.1.incr.aof"
    assert files.last_increment("a") == "a.1.incr.aof"
    assert files.new_increment("a") == "a.2.incr.aof"
    rewritten = files.copy()
    assert rewritten.new_base("a", ".aof") == "a.2.base.aof"
    rewritten.retire_increments(keep_last=True)
    assert rewritten.render() == (
        b"file a.2.base.aof seq 2 type b\n"
        b"file a.1.incr.aof seq 1 type h\n"
        b"file a.1.base.rdb seq 1 type h\n"
        b"file a.2.incr.aof seq 2 type i\n"
    )
    forgotten = [part.name for part in rewritten.forget_history()]
    assert forgotten == ["a.1.incr.aof", "a.1.base.rdb"]
    assert [part.name for part in files.parts] == ["a.1.base.rdb", "a.1.incr.aof", "a.2.incr.aof"]
    rewritten.retire_increments(keep_last=False)
    assert not rewritten.increments


def test_takes_over_the_file_of_an_older_version() -> None:
    files = Manifest()
    files.adopt_base("appendonly.aof")
    assert files.render() == b"file appendonly.aof seq 1 type b\n"
    assert files.new_base("appendonly.aof", ".rdb") == "appendonly.aof.2.base.rdb"


def test_stores_only_what_has_changed(tmp_path: Path) -> None:
    files = Manifest()
    files.store(str(tmp_path), "a")
    assert not list(tmp_path.iterdir())
    files.new_base("a", ".rdb")
    files.store(str(tmp_path), "a")
    assert not files.changed
    assert [path.name for path in tmp_path.iterdir()] == ["a.manifest"]
    assert manifest.read(str(tmp_path / "a.manifest")) == files


def test_says_why_it_could_not_be_stored(tmp_path: Path) -> None:
    files = Manifest()
    files.new_base("a", ".rdb")
    with pytest.raises(StoreError) as caught:
        files.store(str(tmp_path / "none"), "a")
    assert str(caught.value) == (
        "Can't open the AOF manifest file temp-a.manifest: No such file or directory"
    )
    (tmp_path / "a.manifest").mkdir()
    with pytest.raises(StoreError) as caught:
        files.store(str(tmp_path), "a")
    assert str(caught.value) == (
        "Error trying to rename the temporary AOF manifest file temp-a.manifest into a.manifest: "
        "Is a directory"
    )
    assert files.changed
