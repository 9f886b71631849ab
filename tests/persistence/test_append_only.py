"""The files of an append-only log: begun, loaded, written anew, turned on and off."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from carnelian.keyspace.clock import ManualClock
from carnelian.persistence.aof.log_files import LogState
from carnelian.persistence.aof.manifest import Manifest
from carnelian.persistence.aof.renewal import RewriteLimit
from carnelian.persistence.saving.snapshots import LoadError
from support.servers import StartRedis

from .appended import DIRECTORY, STEM, Logged, commands_of, put, put_log, put_manifest

BASE_AND_TWO = (
    f"file {STEM}.1.base.aof seq 1 type b",
    f"file {STEM}.1.incr.aof seq 1 type i",
    f"file {STEM}.2.incr.aof seq 2 type i",
)


@pytest.fixture(autouse=True)
def _here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def files() -> set[str]:
    return {path.name for path in DIRECTORY.iterdir()}


def manifest() -> list[str]:
    return (DIRECTORY / f"{STEM}.manifest").read_text().splitlines()


def failure(**directives: str) -> str:
    """The error of loading what there is."""
    with pytest.raises(LoadError) as caught:
        Logged(None, **directives)
    return str(caught.value)


def fill(logged: Logged) -> bytes:
    """Have values of all kinds, and return the digest of them."""
    logged("SET", "string", "value")
    logged("SET", "number", 12345)
    logged("SET", "long", "x" * 100_000)
    logged("SET", "late", 1, "PXAT", 1 << 45)
    logged("RPUSH", "list", *range(300))
    logged("RPUSH", "small list", "a", "b")
    logged("SADD", "numbers", *range(200))
    logged("SADD", "words", *[f"word {number}" for number in range(300)])
    logged("HSET", "hash", *[f"item {number}" for number in range(400)])
    logged("HSET", "small hash", "a", 1, "b", 2)
    logged("HPEXPIREAT", "small hash", 1 << 45, "FIELDS", 1, "a")
    logged("ZADD", "scores", *[word for n in range(300) for word in (repr(n / 7), f"m{n}")])
    logged("ZADD", "few", "inf", "a", "-1.5", "b")
    for number in range(200):
        logged("XADD", "stream", f"{number + 1}-1", "field", number)
    logged("XDEL", "stream", "200-1")
    logged("XGROUP", "CREATE", "stream", "group", "0")
    logged("XREADGROUP", "GROUP", "group", "reader", "COUNT", 3, "STREAMS", "stream", ">")
    logged("XGROUP", "CREATECONSUMER", "stream", "group", "idle")
    logged("XGROUP", "CREATE", "empty stream", "group", "$", "MKSTREAM")
    logged("SELECT", 5)
    logged("SET", "there", "too")
    return digest(logged)


def digest(logged: Logged) -> bytes:
    reply = logged.client("DEBUG", "DIGEST")
    assert isinstance(reply, bytes)
    return reply


# -- Beginning and loading -----------------------------------------------------------------------


def test_begins_with_an_empty_base() -> None:
    logged = Logged()
    assert not logged.found
    assert manifest() == [f"file {STEM}.1.base.rdb seq 1 type b",
                          f"file {STEM}.1.incr.aof seq 1 type i"]  # fmt: skip
    assert (DIRECTORY / f"{STEM}.1.base.rdb").read_bytes().startswith(b"REDIS")
    assert logged.lines[-2:] == [
        f"Creating AOF base file {STEM}.1.base.rdb on server start",
        f"Creating AOF incr file {STEM}.1.incr.aof on server start",
    ]


@pytest.mark.parametrize("preamble", ["yes", "no"])
def test_loads_what_it_wrote(preamble: str) -> None:
    logged = Logged(aof_use_rdb_preamble=preamble)
    before = fill(logged)
    logged.close()
    again = Logged()
    assert again.found
    assert digest(again) == before
    assert f"Opening AOF incr file {STEM}.1.incr.aof on server start" in again.lines


@pytest.mark.parametrize("preamble", ["yes", "no"])
def test_rewrites_what_there_is(preamble: str) -> None:
    logged = Logged(aof_use_rdb_preamble=preamble, set_max_listpack_entries="10")
    before = fill(logged)
    assert logged.client.call("BGREWRITEAOF") is not None
    logged("SELECT", 0)
    logged("SET", "after", 1)
    logged("DEL", "after")
    logged.log.syncer.wait()
    suffix = "rdb" if preamble == "yes" else "aof"
    assert files() == {f"{STEM}.2.base.{suffix}", f"{STEM}.2.incr.aof", f"{STEM}.manifest"}
    assert logged.content() == [
        [b"SELECT", b"0"], [b"SET", b"after", b"1"], [b"DEL", b"after"],
    ]  # fmt: skip
    logged.close()
    assert digest(Logged()) == before


def test_commands_of_a_rewrite_have_up_to_64_items() -> None:
    logged = Logged(aof_use_rdb_preamble="no")
    logged("RPUSH", "l", *range(65))
    logged("HSET", "h", *range(260))
    logged("SET", "s", 1, "PXAT", 1 << 45)
    logged("BGREWRITEAOF")
    commands = commands_of((DIRECTORY / f"{STEM}.2.base.aof").read_bytes())
    assert sorted((words[0], len(words)) for words in commands) == [
        (b"HMSET", 6), (b"HMSET", 130), (b"HMSET", 130), (b"PEXPIREAT", 3), (b"RPUSH", 3),
        (b"RPUSH", 66), (b"SELECT", 2), (b"SET", 3),
    ]  # fmt: skip


def test_redis_server_loads_it(start_redis: StartRedis) -> None:
    logged = Logged(rdb_version="10")
    logged("SET", "k", "v")
    logged("RPUSH", "l", *range(100))
    logged("ZADD", "z", "1.5", "a")
    before = digest(logged)
    for _base in range(2):
        server = start_redis(
            "--dir",
            os.getcwd(),
            "--appendonly",
            "yes",
            "--save",
            "",
            "--enable-debug-command",
            "yes",
        )
        assert server.call("DEBUG", "DIGEST") == before
        server.stop()
        logged("BGREWRITEAOF")
        logged.log.syncer.wait()


def test_loads_what_redis_server_wrote(start_redis: StartRedis) -> None:
    arguments = (
        "--dir",
        os.getcwd(),
        "--appendonly",
        "yes",
        "--save",
        "",
        "--enable-debug-command",
        "yes",
    )
    server = start_redis(*arguments)
    server.call("SET", "k", "v")
    server.call("MULTI")
    server.call("RPUSH", "l", *range(100))
    server.call("EXPIRE", "l", 1000)
    server.call("EXEC")
    server.call("SADD", "s", "a", "b")
    before = server.call("DEBUG", "DIGEST")
    server.stop()
    logged = Logged()
    assert digest(logged) == before
    logged("SET", "k", "w")
    logged.close()
    server = start_redis(*arguments)
    assert server.call("GET", "k") == b"w"


def test_loads_base_and_increments_in_order() -> None:
    put(f"{STEM}.1.base.aof", ("SET", "a", 1))
    put(f"{STEM}.1.incr.aof")
    put(f"{STEM}.2.incr.aof", ("INCR", "a"))
    put_manifest(*BASE_AND_TWO)
    logged = Logged()
    assert logged("GET", "a") == b"2"
    assert manifest() == list(BASE_AND_TWO)
    logged("INCR", "a")
    assert logged.content() == [[b"INCR", b"a"], [b"SELECT", b"0"], [b"INCR", b"a"]]
    fields = logged.engine.info.fields("persistence")
    assert fields["loading"] == 0
    assert fields["aof_enabled"] == 1


def test_a_key_past_its_time_stays_as_long_as_commands_come() -> None:
    put_log(("RPUSH", "l", "a"), ("PEXPIREAT", "l", 1000), ("RPUSH", "l", "b"))
    clock = ManualClock()
    logged = Logged(clock)
    clock.advance(10_000)
    assert logged("LLEN", "l") == 0


def test_what_is_loaded_is_not_written_again() -> None:
    put_log(("SET", "a", 1), ("MULTI",), ("INCR", "a"), ("INCR", "a"), ("EXEC",))
    logged = Logged()
    logged.turn()
    assert len(logged.content()) == 5
    assert logged("GET", "a") == b"3"


def test_missing_files_and_empty_ones() -> None:
    put_manifest(*BASE_AND_TWO)
    put(f"{STEM}.1.base.aof", ("SET", "a", 1))
    assert failure() == (
        f"Unable to obtain the AOF file {STEM}.1.incr.aof length. stat: No such file or directory"
    )
    for name in ("1.base.aof", "1.incr.aof", "2.incr.aof"):
        put(f"{STEM}.{name}")
    assert Logged().found


@pytest.mark.parametrize("increment", [(), (("SET", "a", 1),)])
def test_an_empty_base_is_not_passed_over_in_silence(increment: tuple) -> None:
    name = f"{STEM}.1.base.rdb"
    put_manifest(f"file {name} seq 1 type b", f"file {STEM}.1.incr.aof seq 1 type i")
    put(name)
    put(f"{STEM}.1.incr.aof", *increment)
    logged = Logged()
    assert logged("DBSIZE") == len(increment)
    assert f"The RDB base file {name} is empty: something has been lost" in logged.lines


def test_a_new_increment_is_empty() -> None:
    DIRECTORY.mkdir()
    put(f"{STEM}.1.incr.aof", ("INCR", "a"))
    logged = Logged()
    assert logged("INCR", "a") == 1
    logged.close()
    assert Logged()("GET", "a") == b"1"


def test_what_was_replaced_before_is_deleted() -> None:
    logged = Logged()
    for _ in range(2):
        logged("BGREWRITEAOF")
    logged.close()
    before = files()
    for name in ("1.base.rdb", "2.incr.aof", "2.base.aof", "3.incr.aof.bak", "9.incr.aof"):
        put(f"{STEM}.{name}")
    kept = {f"{STEM}.3.incr.aof.bak", f"{STEM}.9.incr.aof"}
    logged = Logged()
    logged.log.delete_history()
    assert files() == before | kept


def test_a_rewrite_forces_one_manifest_to_the_disk(monkeypatch: pytest.MonkeyPatch) -> None:
    logged = Logged()
    stored: list[bytes] = []
    store = Manifest.store

    def count(self: Manifest, directory: str, stem: str) -> None:
        if self.changed:
            stored.append(self.render())
        store(self, directory, stem)

    monkeypatch.setattr(Manifest, "store", count)
    logged("BGREWRITEAOF")
    # One with the new increment, and one with the new base.
    assert len(stored) == 2 and b"type h" not in stored[1]


def test_a_manifest_that_makes_no_sense() -> None:
    put_manifest("file a seq 1 type x")
    assert failure() == "Unknown AOF file type\n"
    assert failure(appendonly="no") == "Unknown AOF file type\n"


CUT = b"*2\r\n$4\r\nINCR\r\n$1\r\n"


def test_a_cut_end_is_cut_off() -> None:
    put_log(("SET", "a", 1), CUT)
    logged = Logged()
    assert logged.lines[:3] == [
        f"!!! Warning: short read while loading the AOF file {STEM}.1.incr.aof!!!",
        f"!!! Truncating the AOF {STEM}.1.incr.aof at offset 27 !!!",
        f"AOF {STEM}.1.incr.aof loaded anyway because aof-load-truncated is enabled",
    ]
    logged("INCR", "a")
    logged.close()
    assert Logged()("GET", "a") == b"2"


def test_a_transaction_without_an_end_is_cut_off() -> None:
    put_log(("SET", "a", 1), ("MULTI",), ("SET", "a", 2))
    logged = Logged()
    assert logged.lines[0] == (
        f"Revert incomplete MULTI/EXEC transaction in AOF file {STEM}.1.incr.aof"
    )
    assert logged("GET", "a") == b"1"
    assert logged.content()[0] == [b"SET", b"a", b"1"]


@pytest.mark.parametrize("end", [CUT, b"*1\r\n$5\r\nMULTI\r\n"])
def test_a_cut_end_is_an_error_if_that_is_asked_for(end: bytes) -> None:
    put_log(("SET", "a", 1), end)
    error = failure(aof_load_truncated="no")
    assert error.startswith(
        f"Unexpected end of file reading the append only file {STEM}.1.incr.aof. You can: 1) Make"
    )


def test_only_the_last_file_may_be_cut() -> None:
    put(f"{STEM}.1.base.aof", ("SET", "a", 1))
    put(f"{STEM}.1.incr.aof", ("SET", "a", 1), CUT)
    put(f"{STEM}.2.incr.aof", ("SET", "a", 1))
    put_manifest(*BASE_AND_TWO)
    assert failure() == "Fatal error: the truncated file is not the last file"


def test_formats_and_commands_that_are_unknown() -> None:
    put_log(("SET", "a", 1), b"!!!", ("SET", "a", 1))
    assert failure().startswith(
        f"Bad file format reading the append only file {STEM}.1.incr.aof: make a backup"
    )
    put_log(("SET", "a", 1), ("BLA", "a"))
    assert failure() == (f"Unknown command 'BLA' reading the append only file {STEM}.1.incr.aof")


def test_a_wrong_number_of_words_is_no_cut_end() -> None:
    put_log(("SET", "a", 1), b"*30000000\r\n$1\r\na\r\n", ("SET", "a", 1))
    assert failure().startswith(
        f"Bad file format reading the append only file {STEM}.1.incr.aof: make a backup"
    )


def test_a_damaged_base() -> None:
    Logged()("SET", "a", 1)
    base = DIRECTORY / f"{STEM}.1.base.rdb"
    base.write_bytes(base.read_bytes()[:20])
    assert failure() == (f"Error reading the RDB base file {STEM}.1.base.rdb, AOF loading aborted")


# -- Files of older versions ---------------------------------------------------------------------


def test_takes_over_a_single_file() -> None:
    put("old", ("SET", "a", 1))
    (DIRECTORY / "old").rename(STEM)
    DIRECTORY.rmdir()
    logged = Logged()
    assert logged("GET", "a") == b"1"
    assert not Path(STEM).exists()
    assert manifest() == [f"file {STEM} seq 1 type b", f"file {STEM}.1.incr.aof seq 1 type i"]
    logged("BGREWRITEAOF")
    logged.log.syncer.wait()
    assert files() == {f"{STEM}.2.base.rdb", f"{STEM}.2.incr.aof", f"{STEM}.manifest"}


def test_takes_over_a_file_that_begins_as_a_snapshot() -> None:
    logged = Logged()
    logged("SET", "a", 1)
    logged("BGREWRITEAOF")
    text = (DIRECTORY / f"{STEM}.2.base.rdb").read_bytes()
    logged.close()
    for path in DIRECTORY.iterdir():
        path.unlink()
    Path(STEM).write_bytes(text + b"*2\r\n$4\r\nINCR\r\n$1\r\na\r\n")
    logged = Logged()
    assert logged("GET", "a") == b"2"
    assert "Reading RDB preamble from AOF file..." in logged.lines
    assert "Reading the remaining AOF tail..." in logged.lines


def test_goes_on_with_a_takeover_that_was_interrupted() -> None:
    put_manifest(f"file {STEM} seq 1 type b")
    put("old", ("SET", "a", 1))
    (DIRECTORY / "old").rename(STEM)
    assert Logged()("GET", "a") == b"1"


def test_leaves_an_old_file_alone_when_it_has_a_newer_one() -> None:
    put_log(("SET", "a", 1))
    Path(STEM).write_bytes(b"old")
    assert Logged()("GET", "a") == b"1"
    assert Path(STEM).read_bytes() == b"old"


# -- On, off and anew ----------------------------------------------------------------------------


def test_is_turned_on_and_off_while_it_runs() -> None:
    logged = Logged(appendonly="no")
    logged("SET", "a", 1)
    assert logged.log.state is LogState.OFF
    logged("CONFIG", "SET", "appendonly", "yes")
    assert logged.log.state is LogState.ON
    logged("SET", "b", 1)
    assert logged.content() == [[b"SELECT", b"0"], [b"SET", b"b", b"1"]]
    logged("CONFIG", "SET", "appendonly", "no")
    assert not logged.engine.effects.listening
    logged("SET", "c", 1)
    logged("CONFIG", "SET", "appendonly", "yes")
    logged.log.syncer.wait()
    assert files() == {f"{STEM}.2.base.rdb", f"{STEM}.2.incr.aof", f"{STEM}.manifest"}
    logged("SET", "d", 1)
    logged.close()
    assert sorted(Logged()("KEYS", "*")) == [b"a", b"b", b"c", b"d"]  # type: ignore[call-overload]


def test_is_turned_on_in_a_transaction() -> None:
    logged = Logged(appendonly="no")
    for words in (
        ("MULTI",), ("SET", "a", 1), ("CONFIG", "SET", "appendonly", "yes"), ("SET", "a", 2),
        ("EXEC",),
    ):  # fmt: skip
        logged(*words)
    assert logged.log.renewal.scheduled
    logged.engine.cron()
    assert logged.log.state is LogState.ON
    logged("INCR", "a")
    logged.close()
    assert Logged()("GET", "a") == b"3"


def test_cannot_be_turned_on_without_a_directory() -> None:
    DIRECTORY.write_bytes(b"")
    logged = Logged(appendonly="no")
    assert logged.client.error("CONFIG", "SET", "appendonly", "yes") == (
        "ERR CONFIG SET failed (possibly related to argument 'appendonly') - Unable to turn on "
        "AOF. Check server logs."
    )
    assert f"Can't open or create append-only dir {DIRECTORY}: Not a directory" in logged.lines
    assert logged("CONFIG", "GET", "appendonly") is not None
    assert logged.log.state is LogState.OFF
    assert not isinstance(logged("SET", "a", 1), Exception)


def test_a_rewrite_that_fails_leaves_everything_in_order() -> None:
    logged = Logged()
    logged("SET", "a", 1)
    Path(f"temp-rewriteaof-{os.getpid()}.aof").mkdir()
    assert logged.client.error("BGREWRITEAOF").startswith(
        "ERR Can't execute an AOF background rewriting. Please check the server logs"
    )
    logged("SET", "b", 1)
    fields = logged.engine.info.fields("persistence")
    assert fields["aof_last_bgrewrite_status"] == "err"
    assert fields["aof_rewrites_consecutive_failures"] == 1
    assert manifest() == [
        f"file {STEM}.1.base.rdb seq 1 type b",
        f"file {STEM}.1.incr.aof seq 1 type i",
        f"file {STEM}.2.incr.aof seq 2 type i",
    ]
    logged.close()
    assert Logged()("EXISTS", "a", "b") == 2


def test_history_is_kept_where_that_is_asked_for() -> None:
    logged = Logged(aof_disable_auto_gc="yes")
    logged("BGREWRITEAOF")
    assert manifest()[1:3] == [
        f"file {STEM}.1.incr.aof seq 1 type h",
        f"file {STEM}.1.base.rdb seq 1 type h",
    ]
    logged("CONFIG", "SET", "aof-disable-auto-gc", "no")
    logged.log.syncer.wait()
    assert files() == {f"{STEM}.2.base.rdb", f"{STEM}.2.incr.aof", f"{STEM}.manifest"}


def test_rewrites_itself_when_it_has_grown() -> None:
    logged = Logged(auto_aof_rewrite_percentage="100", auto_aof_rewrite_min_size="1kb")
    logged("BGREWRITEAOF")
    logged("SET", "a", "x" * 1500)
    logged.engine.cron()
    assert any(line.startswith("Starting automatic rewriting of AOF on ") for line in logged.lines)
    assert logged.log.renewal.count == 2
    logged.engine.cron()
    assert logged.log.renewal.count == 2


def test_rewrites_that_fail_again_and_again_are_held_back() -> None:
    limit, lines = RewriteLimit(), []

    def holds(now: int) -> bool:
        return limit.delays(now, lambda level, line: lines.append(line))

    limit.failures = 2
    assert not holds(0)
    limit.failures = 3
    assert [holds(0), holds(59), holds(60)] == [True, True, False]
    assert [holds(60), holds(179), holds(180)] == [True, True, False]
    assert lines[-1] == (
        "Background AOF rewrite has repeatedly failed and triggered the limit, will retry in 2 "
        "minutes"
    )
    for _doubling in range(8):
        now = 10**9 + len(lines) * 10**6
        assert holds(now)
        assert not holds(now + 3600)
    assert "60 minutes" in lines[-1]
    limit.failures = 0
    assert not holds(0)


def test_debug_loadaof() -> None:
    logged = Logged()
    before = fill(logged)
    assert logged.client("DEBUG", "LOADAOF") == b"OK"
    assert digest(logged) == before
    assert logged.engine.keyspace.dirty == 0
    logged("SET", "after", 1)
    logged.close()
    assert Logged()("EXISTS", "after") in (0, 1)


# -- A damaged end ---------------------------------------------------------------------------------


def test_a_damaged_end_is_cut_off_if_it_is_short() -> None:
    put_log(("SET", "a", 1), b"!!!" + b"\0" * 97)
    assert failure(aof_load_corrupt_tail_max_size="99").startswith("Bad file format")
    assert failure().startswith("Bad file format")
    logged = Logged(aof_load_corrupt_tail_max_size="100")
    assert logged.lines[:2] == [
        "!!! Warning: 100 bytes at the end of the AOF file are damaged",
        f"!!! Truncating the AOF {STEM}.1.incr.aof at offset 27 !!!",
    ]
    logged("INCR", "a")
    logged.close()
    assert Logged()("GET", "a") == b"2"


def test_a_damaged_end_takes_its_transaction_along() -> None:
    put_log(("SET", "a", 1), ("MULTI",), ("SET", "a", 2), b"!!!")
    assert failure(aof_load_corrupt_tail_max_size="40").startswith("Bad file format")
    logged = Logged(aof_load_corrupt_tail_max_size="45")
    assert f"Revert incomplete MULTI/EXEC transaction in AOF file {STEM}.1.incr.aof" in logged.lines
    assert logged("GET", "a") == b"1"


def test_only_the_last_file_may_be_damaged() -> None:
    put(f"{STEM}.1.base.aof", ("SET", "a", 1))
    put(f"{STEM}.1.incr.aof", ("SET", "a", 1), b"!!!")
    put(f"{STEM}.2.incr.aof", ("SET", "a", 1))
    put_manifest(*BASE_AND_TWO)
    assert failure(aof_load_corrupt_tail_max_size="100").startswith("Bad file format")
