"""COMMAND and its subcommands."""

from __future__ import annotations

from typing import Any

import pytest

from carnelian.engine.catalogue.key_positions import KeySpec, after, at, counted, unknown
from carnelian.engine.catalogue.registry import Declaration, declarations
from carnelian.engine.engine import Engine
from support.local import LocalClient
from support.wire import Reply


@pytest.fixture
def client() -> LocalClient:
    return LocalClient(Engine(), protocol=3)


def fields(reply: list) -> dict:
    """A flat map as a dict."""
    return dict(zip(reply[::2], reply[1::2], strict=True))


def test_count_and_list(client: LocalClient) -> None:
    names = client("COMMAND", "LIST")
    assert {b"get", b"config", b"config|get"} <= set(names)
    assert len(names) == len(set(names))
    assert client("COMMAND", "COUNT") == sum(b"|" not in name for name in names)
    assert client("COMMAND", "COUNT") == len(client("COMMAND"))


class TestListFilter:
    def test_by_pattern(self, client: LocalClient) -> None:
        assert client("COMMAND", "LIST", "FILTERBY", "PATTERN", "GET") == [b"get"]
        assert client("COMMAND", "LIST", "FILTERBY", "PATTERN", "config|re*") == [
            b"config|rewrite", b"config|resetstat"
        ]  # fmt: skip
        assert client("COMMAND", "LIST", "FILTERBY", "PATTERN", "nothing*") == []

    def test_by_category(self, client: LocalClient) -> None:
        found = client("COMMAND", "LIST", "FILTERBY", "ACLCAT", "transaction")
        assert set(found) == {b"multi", b"exec", b"discard", b"watch", b"unwatch"}
        assert client("COMMAND", "LIST", "FILTERBY", "ACLCAT", "nonsense") == []

    def test_by_module(self, client: LocalClient) -> None:
        assert client("COMMAND", "LIST", "FILTERBY", "MODULE", "nonsense") == []

    @pytest.mark.parametrize("words", [("x",), ("FILTERBY", "x"), ("FILTERBY", "x", "y")])
    def test_syntax(self, client: LocalClient, words: tuple[str, ...]) -> None:
        assert client.error("COMMAND", "LIST", *words) == "ERR syntax error"


class TestInfo:
    def test_one(self, client: LocalClient) -> None:
        reply = client.call("COMMAND", "INFO", "PUBLISH", "no-such", "config|get", "config|get|x")
        assert reply.kind == b"*"
        publish, unknown_name, subcommand, nonsense = reply.items
        assert unknown_name == nonsense == Reply(b"_", b"")
        assert subcommand.items[0] == Reply(b"$", b"config|get")
        name, arity, flags, first, last, step, categories, hints, specs, below = publish.items
        assert (name.value, arity.value) == (b"publish", 3)
        assert flags.kind == b"~"
        shown = [(one.kind, one.value) for one in flags.items]
        assert shown == [(b"+", b"pubsub"), (b"+", b"loading"), (b"+", b"stale"), (b"+", b"fast")]
        assert (first.value, last.value, step.value) == (0, 0, 0)
        assert [one.value for one in categories.items] == [b"@pubsub", b"@fast"]
        assert (hints.kind, specs.kind, below.kind) == (b"~", b"~", b"~")

    def test_key_spec(self, client: LocalClient) -> None:
        details = client("COMMAND", "INFO", "DEL")[0]
        assert details[3:6] == [1, -1, 1]
        spec = fields(details[8][0])
        assert spec[b"flags"] == [b"RM", b"delete"]
        assert spec[b"begin_search"] == [b"type", b"index", b"spec", [b"index", 1]]
        assert spec[b"find_keys"] == [
            b"type", b"range", b"spec", [b"lastkey", -1, b"keystep", 1, b"limit", 0]
        ]  # fmt: skip

    def test_no_names_means_all(self, client: LocalClient) -> None:
        assert len(client("COMMAND", "INFO")) == client("COMMAND", "COUNT")


class TestDocs:
    def test_fields(self, client: LocalClient) -> None:
        reply = client("COMMAND", "DOCS", "QUIT", "no-such", "GETRANGE")
        assert len(reply) == 4
        leaving, getrange = fields(reply)[b"quit"], fields(reply)[b"getrange"]
        assert leaving[-6:] == [
            b"doc_flags", [b"deprecated"],
            b"deprecated_since", b"7.2.0",
            b"replaced_by", b"just closing the connection",
        ]  # fmt: skip
        assert [leaf[b"name"] for leaf in fields(getrange)[b"arguments"]] == [
            b"key", b"start", b"end"
        ]  # fmt: skip

    def test_subcommands(self, client: LocalClient) -> None:
        config = fields(client("COMMAND", "DOCS", "CONFIG")[1])
        names = config[b"subcommands"][::2]
        assert set(names) == {
            b"config|get", b"config|set", b"config|rewrite", b"config|resetstat", b"config|help"
        }  # fmt: skip

    def test_every_declaration_can_be_shown(self, client: LocalClient) -> None:
        assert len(client("COMMAND", "DOCS")) == 2 * client("COMMAND", "COUNT")
        assert client.call("COMMAND", "DOCS").kind == b"%"


class TestGetKeys:
    @pytest.mark.parametrize(
        ("words", "keys"),
        [
            ("GET k", "k"),
            ("MSET a 1 b 2", "a b"),
            ("DEL a b c", "a b c"),
            ("PFMERGE a b c", "a b c"),
            ("PFMERGE a", "a"),
            ("RENAME a b", "a b"),
            ("SET k v GET", "k"),
            ("WATCH a b", "a b"),
            ("msetex 3 a 1 b 2 c 3 nx", "a b c"),
            ("delex a ifeq x", "a"),
        ],
    )
    def test_keys(self, client: LocalClient, words: str, keys: str) -> None:
        found = client("COMMAND", "GETKEYS", *words.split())
        assert found == keys.encode().split()

    def test_flags(self, client: LocalClient) -> None:
        flagged = client("COMMAND", "GETKEYSANDFLAGS", "SET", "k", "v")
        assert flagged == [[b"k", [b"OW", b"update"]]]
        flagged = client("COMMAND", "GETKEYSANDFLAGS", "SET", "k", "v", "get")
        assert flagged == [[b"k", [b"RW", b"access", b"update"]]]

    @pytest.mark.parametrize(
        ("words", "message"),
        [
            ("NO-SUCH a", "ERR Invalid command specified"),
            ("PING", "ERR The command has no key arguments"),
            ("SPUBLISH a b", "ERR The command has no key arguments"),
            ("GET a b", "ERR Invalid number of arguments specified for command"),
            ("TEST.COUNTED 3 a b", "ERR Invalid arguments specified for command"),
        ],
    )
    def test_refusals(self, with_key_specs: LocalClient, words: str, message: str) -> None:
        assert with_key_specs.error("COMMAND", "GETKEYS", *words.split()) == message

    @pytest.mark.parametrize(
        ("words", "keys"),
        [
            ("TEST.COUNTED 2 a b c", "a b"),
            ("TEST.OPTIONAL 0 a", ""),
            ("TEST.AFTER x streams a b 1 2", "a b"),
            ("TEST.AFTER x y a b", ""),
            ("TEST.BACKWARDS x keys a", "a"),
            ("TEST.UNKNOWN a b", "b"),
            ("TEST.BOTH d 1 a", "d a"),
        ],
    )
    def test_key_specs(self, with_key_specs: LocalClient, words: str, keys: str) -> None:
        found = with_key_specs("COMMAND", "GETKEYS", *words.split())
        assert found == keys.encode().split()

    def test_movable_keys_are_marked(self, with_key_specs: LocalClient) -> None:
        details = with_key_specs("COMMAND", "INFO", "TEST.BOTH", "TEST.COUNTED", "RENAME")
        flags, places = [one[2] for one in details], [one[3:6] for one in details]
        assert [b"movablekeys" in one for one in flags] == [True, True, False]
        assert places == [[1, 1, 1], [0, 0, 0], [1, 2, 1]]


@pytest.fixture
def with_key_specs(monkeypatch: pytest.MonkeyPatch) -> LocalClient:
    """An engine that has a command for every kind of key spec."""
    added: dict[str, Declaration] = dict(declarations)
    monkeypatch.setattr("carnelian.engine.catalogue.registry.declarations", added)
    specs: dict[str, dict[str, Any]] = {
        "TEST.COUNTED": {"keys": counted(1, "RO")},
        "TEST.OPTIONAL": {"keys": counted(1, "RO"), "flags": "no_mandatory_keys"},
        "TEST.AFTER": {
            "keys": after("STREAMS", "RO", last=-1, limit=2),
            "flags": "no_mandatory_keys",
        },
        "TEST.BACKWARDS": {"keys": after("KEYS", "RO", start=-2)},
        "TEST.UNKNOWN": {"keys": (at(1, "RO"), unknown("RO")), "get_keys": lambda words: [2]},
        "TEST.BOTH": {"keys": (at(1, "OW"), counted(2, "RO"))},
    }
    for name, options in specs.items():
        keys = options["keys"]
        added[name] = Declaration(
            name,
            lambda session, args: None,
            frozenset(options.get("flags", "").split()),
            (keys,) if isinstance(keys, KeySpec) else keys,
            get_keys=options.get("get_keys"),
            words=-2,
        )
    return LocalClient(Engine(), protocol=3)


def test_help(client: LocalClient) -> None:
    lines = client("COMMAND", "HELP")
    assert lines[0] == b"COMMAND <subcommand> [<arg> [value] [opt] ...]. Subcommands are:"
    assert b"LIST [FILTERBY (MODULE <module-name>|ACLCAT <category>|PATTERN <pattern>)]" in lines
