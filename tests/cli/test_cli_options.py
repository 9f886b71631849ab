"""What the words of a command line ask for."""

from __future__ import annotations

import pytest

from carnelian.tools.cli.cli_options import OptionError, parse
from carnelian.tools.cli.wire.addresses import Address, Target, UrlError, parse_url
from carnelian.tools.cli.wire.socket_links import TlsOptions


@pytest.mark.parametrize(
    ("url", "target"),
    [
        ("redis://", Target()),
        ("redis://host", Target(host="host")),
        ("REDIS://host:1/2", Target(host="host", port=1, db=2)),
        ("redis://:p%40ss@host", Target(host="host", password="p@ss")),
        ("redis://u%3A:p@host/0", Target(host="host", user="u:", password="p", db=0)),
        ("redis://word@host", Target(host="host", password="word")),
        ("rediss://host:2", Target(host="host", port=2, tls=True)),
        ("valkeys://host", Target(host="host", tls=True)),
        ("redis://[::1]:7/3", Target(host="::1", port=7, db=3)),
        ("redis://host?db=4", Target(host="host", db=4)),
        ("unix:///run/redis.sock?db=1", Target(socket="/run/redis.sock", db=1)),
        ("unix://u:p@/run/s", Target(socket="/run/s", user="u", password="p")),
    ],
)
def test_urls(url: str, target: Target) -> None:
    assert parse_url(url) == target


@pytest.mark.parametrize("url", ["http://x", "host:1", "redis:/x", "redis://h/x", "redis://h:x"])
def test_what_is_no_url(url: str) -> None:
    with pytest.raises(UrlError, match=r"^Invalid URI"):
        parse_url(url)


def test_words_after_the_command_are_its_own() -> None:
    options = parse(["-n", "2", "get", "-n", "--csv"], {})
    assert options.db == 2
    assert options.words == [b"get", b"-n", b"--csv"]
    assert options.form is None


def test_a_url_and_options_beside_it() -> None:
    options = parse(["-p", "1", "-u", "rediss://u:p@host/3", "ping"], {"REDISCLI_AUTH": "x"})
    assert options.address == Address("host", 1)
    assert (options.user, options.password, options.exposed) == ("u", "p", True)
    assert (options.db, options.tls) == (3, TlsOptions())


@pytest.mark.parametrize(
    ("url", "user"), [("redis://@host", None), ("redis://:@host", None), ("redis://u:@host", "u")]
)
def test_a_url_with_an_empty_password_logs_in_nowhere(url: str, user: str | None) -> None:
    for words in (["-u", url], ["-a", "p", "-u", url], ["--user", "x", "-a", "p", "-u", url]):
        options = parse([*words, "ping"], {})
        assert (options.user, options.password, options.exposed) == (user, None, False)


def test_tls() -> None:
    words = ["--tls", "--sni", "s", "--cacert", "c", "--cert", "x", "--key", "k", "--insecure"]
    tls = TlsOptions("s", "c", None, True, "x", "k")
    assert parse(words, {}).tls == tls
    # As redis-cli: the others do not turn it on.
    assert parse(["--sni", "s"], {}).tls is None


@pytest.mark.parametrize(
    ("words", "file", "rest"),
    [
        (["./get"], "./get", []),
        (["app.db"], "app.db", []),
        (["dump.rdb", "get", "a"], "dump.rdb", [b"get", b"a"]),
        (["/x/y", "get", "z.db"], "/x/y", [b"get", b"z.db"]),
        (["app.db", "-n", "1", "get"], "app.db", [b"get"]),
        (["--file", "plain", "get"], "plain", [b"get"]),
        (["get", "app.db"], None, [b"get", b"app.db"]),
        (["score.add", "x"], None, [b"score.add", b"x"]),
    ],
)
def test_files(words: list[str], file: str | None, rest: list[bytes]) -> None:
    options = parse(words, {})
    assert options.address.file == file
    assert options.words == rest


def test_json_asks_for_resp3() -> None:
    options = parse(["--json"], {})
    assert (options.protocol, options.wishful) == (3, True)
    options = parse(["--json", "-2"], {})
    assert (options.protocol, options.wishful) == (2, False)


def test_bytes_that_are_no_text() -> None:
    assert parse(["get", "a\udcff"], {}).words == [b"get", b"a\xff"]


@pytest.mark.parametrize(
    "words", [["--nosuch"], ["-n"], ["--cacert"], ["-u", "x"], ["-x", "-X", "a"]]
)
def test_mistakes(words: list[str]) -> None:
    with pytest.raises(OptionError):
        parse(words, {})


def test_cluster_takes_all_that_follows() -> None:
    options = parse(["-a", "x", "--cluster", "check", "host:1", "--nosuch"], {})
    assert options.mode == "cluster"
    assert options.words == []
