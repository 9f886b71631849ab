"""The values of directives: reading them, changing them together, hooks and roll-back."""

from __future__ import annotations

import os

import pytest

from carnelian.engine.config import Config, ConfigError
from carnelian.engine.config.checks import expand_title
from carnelian.engine.config.directive import Boolean, Choice, Directive, Integer
from carnelian.engine.config.directives import DIRECTIVES, TOPICS
from carnelian.resp.replies import Error


def set_error(config: Config, *pairs: bytes, **options: bool) -> bytes:
    with pytest.raises(Error) as caught:
        config.set(list(zip(pairs[::2], pairs[1::2], strict=True)), **options)
    return caught.value.message


# Values


def test_values_are_typed() -> None:
    config = Config()
    assert config["port"] == 6379
    assert config["save"] == ((3600, 1), (300, 100), (60, 10000))
    assert config["maxmemory-policy"] == "noeviction"
    assert config["appendonly"] is False
    assert config["requirepass"] is None
    assert config["client-output-buffer-limit"].pubsub.seconds == 60
    assert config["bind"] == ("*", "-::*")
    assert config["dir"] == os.getcwd()


def test_unknown_names_are_refused() -> None:
    config = Config()
    assert "port" in config
    assert "slave-priority" not in config
    for name in ("nope", "slave-priority"):
        with pytest.raises(KeyError):
            config[name]
        with pytest.raises(KeyError):
            config[name] = 1
        with pytest.raises(KeyError):
            config.on_change(name, print)


def test_assignment_stores_a_value_as_it_is() -> None:
    config = Config()
    config.on_change("replicaof", lambda value: pytest.fail("an assignment calls no hook"))
    config["replicaof"] = ("127.0.0.1", 7000)
    assert config.get([b"slaveof"]) == [(b"slaveof", b"127.0.0.1 7000")]
    assert config.text("replicaof") == "127.0.0.1 7000"


def test_two_configurations_share_nothing() -> None:
    first, second = Config(), Config()
    first.set([(b"maxmemory", b"1")])
    assert second["maxmemory"] == 0


def test_no_name_is_declared_twice() -> None:
    names = [name for d in DIRECTIVES for name in (d.name, d.alias) if name]
    assert len(names) == len(set(names))
    assert sum(len(topic.directives) for topic in TOPICS) == len(DIRECTIVES)


def test_every_default_is_its_own_value() -> None:
    values = Config().values
    for directive in DIRECTIVES:
        if directive.name in ("dir", "replicaof"):
            continue
        shown = directive.format(directive.default)
        arguments = shown.split() if directive.multiple else [shown]
        assert directive.read(arguments, values) == directive.default, directive


def test_flags_are_checked() -> None:
    with pytest.raises(ValueError, match="unknown flags"):
        Boolean("x", True, "imutable", summary="A slip of the pen.")


# CONFIG GET


def test_get_by_name_and_pattern() -> None:
    config = Config()
    assert config.get([b"port"]) == [(b"port", b"6379")]
    assert config.get([b"PORT", b"p?rt"]) == [(b"PORT", b"6379")]
    assert config.get([b"nope", b"nope*"]) == []
    names = [name for name, _ in config.get([b"maxmemory*", b"*of", b"bind", b"maxmemory"])]
    assert len(names) == len(set(names))
    assert {b"slaveof", b"replicaof", b"maxmemory", b"maxmemory-clients", b"bind"} <= set(names)


def test_patterns_find_names_in_alphabetical_order() -> None:
    names = [name for name, _ in Config().get([b"*"])]
    assert names == sorted(names)


def test_hidden_directives_need_their_name() -> None:
    config = Config()
    assert b"key-load-delay" not in dict(config.get([b"*", b"key-load-dela?"]))
    assert config.get([b"key-load-delay"]) == [(b"key-load-delay", b"0")]


# CONFIG SET


def test_set_several() -> None:
    config = Config()
    config.set([(b"maxmemory", b"10mb"), (b"SAVE", b"3000 5"), (b"slave-priority", b"1")])
    assert config["maxmemory"] == 10 * 1024**2
    assert config["save"] == ((3000, 5),)
    assert config["replica-priority"] == 1


def test_set_replaces_what_a_file_would_add_to() -> None:
    config = Config()
    config.load_text("save 1 1")
    config.set([(b"save", b"2 2")])
    assert config["save"] == ((2, 2),)


def test_a_bad_value_changes_nothing() -> None:
    config = Config()
    config.set([(b"maxmemory", b"5")])
    message = set_error(
        config,
        b"maxmemory",
        b"6",
        b"maxmemory-clients",
        b"200%",
        b"client-query-buffer-limit",
        b"x",
    )
    assert message == (
        b"ERR CONFIG SET failed (possibly related to argument 'maxmemory-clients') - "
        b"percentage argument must be less or equal to 100"
    )
    assert config["maxmemory"] == 5


@pytest.mark.parametrize(
    ("pairs", "message"),
    [
        ((b"Nope", b"1"), b"Unknown option or number of arguments for CONFIG SET - 'Nope'"),
        (
            (b"Daemonize", b"yes"),
            b"CONFIG SET failed (possibly related to argument 'Daemonize') - "
            b"can't set immutable config",
        ),
        (
            (b"dir", b"/"),
            b"CONFIG SET failed (possibly related to argument 'dir') - can't set protected config",
        ),
        (
            (b"hz", b"1", b"HZ", b"2"),
            b"CONFIG SET failed (possibly related to argument 'HZ') - duplicate parameter",
        ),
        (
            (b"slave-priority", b"1", b"replica-priority", b"2"),
            b"CONFIG SET failed (possibly related to argument 'replica-priority') - "
            b"duplicate parameter",
        ),
        (
            (b"maxmemory", b"20000000000gb"),
            b"CONFIG SET failed (possibly related to argument 'maxmemory') - "
            b"argument must be a memory value",
        ),
        (
            (b"notify-keyspace-events", b"K q"),
            b"CONFIG SET failed (possibly related to argument 'notify-keyspace-events') - "
            b"Invalid event class character. Use 'Ag$lshzxeKEtmdnocaSTIV'.",
        ),
        (
            (b"HZ", b"x"),
            b"CONFIG SET failed (possibly related to argument 'hz') - "
            b"argument couldn't be parsed into an integer",
        ),
    ],
)
def test_errors(pairs: tuple[bytes, ...], message: bytes) -> None:
    assert set_error(Config(), *pairs) == b"ERR " + message


@pytest.mark.parametrize(
    ("setting", "local", "allowed"),
    [
        ("no", True, False),
        ("no", False, False),
        ("local", True, True),
        ("local", False, False),
        ("yes", True, True),
        ("yes", False, True),
    ],
)
def test_protected_directives(setting: str, local: bool, allowed: bool) -> None:
    config = Config()
    config["enable-protected-configs"] = setting
    assert config.allows("enable-protected-configs", local) is allowed
    if allowed:
        config.set([(b"dbfilename", b"x.rdb")], local=local)
        assert config["dbfilename"] == "x.rdb"
    else:
        assert b"can't set protected config" in set_error(
            config, b"dbfilename", b"x.rdb", local=local
        )


def test_while_loading() -> None:
    config = Config()
    config["enable-protected-configs"] = "yes"
    config.set([(b"loglevel", b"debug")], loading=True)
    expected = b"LOADING Redis is loading the dataset in memory"
    assert set_error(config, b"dir", b"/", loading=True) == expected
    assert set_error(config, b"dir", b"/", b"nope", b"1", loading=True) == expected
    config.set([(b"appendonly", b"yes")], loading=True)
    assert set_error(config, b"nope", b"1", b"dir", b"/", loading=True).startswith(b"ERR Unknown")


def test_a_directory_is_kept_absolute_and_the_process_stays(tmp_path) -> None:
    (tmp_path / "inner").mkdir()
    config = Config(str(tmp_path))
    config["enable-protected-configs"] = "yes"
    here = os.getcwd()
    config.set([(b"dir", b"inner/..//inner")])
    assert config["dir"] == str(tmp_path / "inner")
    assert os.getcwd() == here
    assert set_error(config, b"dir", b"gone").endswith(b" - No such file or directory")


def test_sensitive_directives() -> None:
    config = Config()
    sensitive = {d.name for d in DIRECTIVES if config.is_sensitive(d.name.encode())}
    assert sensitive == {"requirepass", "masterauth", "masteruser"}
    assert config.is_sensitive(b"REQUIREPASS")
    assert not config.is_sensitive(b"nope")


# Hooks


def test_hooks_see_the_new_values() -> None:
    config = Config()
    seen: list[object] = []
    config.on_change("maxmemory", lambda value: seen.append((value, config["hz"])))
    config.set([(b"maxmemory", b"1kb"), (b"hz", b"50")])
    assert seen == [(1024, 50)]


def test_hooks_are_not_called_for_the_same_value() -> None:
    config = Config()
    seen: list[object] = []
    config.on_change("hz", seen.append)
    config.on_change("tls-cert-file", seen.append)
    config.set([(b"hz", b"10")])
    assert seen == []
    # A certificate may have changed under its name.
    config.set([(b"tls-cert-file", b"a")])
    config.set([(b"tls-cert-file", b"a")])
    assert seen == ["a", "a"]


def test_a_hook_of_several_directives_is_called_once() -> None:
    config = Config()
    seen: list[object] = []
    for name in ("hz", "timeout", "maxclients"):
        config.on_change(name, seen.append)
    config.set([(b"timeout", b"7"), (b"hz", b"50")])
    assert seen == [7]


def test_a_hook_that_refuses_undoes_everything() -> None:
    config = Config()
    seen: list[object] = []
    messages: list[str] = []
    config.warn = messages.append

    def refuse(port: int) -> None:
        seen.append(port)
        if port == 7:
            raise ConfigError("Unable to listen on this port. Check server logs.")

    config.on_change("maxmemory", seen.append)
    config.on_change("port", refuse)
    config.on_change("timeout", seen.append)
    message = set_error(config, b"maxmemory", b"5", b"PORT", b"7", b"timeout", b"9", b"hz", b"20")
    assert message == (
        b"ERR CONFIG SET failed (possibly related to argument 'port') - "
        b"Unable to listen on this port. Check server logs."
    )
    assert seen == [5, 7, 0, 6379]
    assert (config["maxmemory"], config["port"], config["timeout"], config["hz"]) == (
        0,
        6379,
        0,
        10,
    )
    assert messages == [
        "Failed applying new configuration. Possibly related to new port setting. "
        "Restoring previous settings."
    ]


def test_a_hook_that_cannot_go_back_either_is_reported() -> None:
    config = Config()
    messages: list[str] = []
    config.warn = messages.append

    def refuse(value: object) -> None:
        raise ConfigError("no")

    config.on_change("hz", refuse)
    set_error(config, b"hz", b"20")
    assert messages[1:] == ["Failed applying restored failed CONFIG SET command: no"]
    assert config["hz"] == 10


def test_a_hook_that_fails_undoes_everything_too() -> None:
    config = Config()

    def fail(value: object) -> None:
        raise RuntimeError("a mistake")

    config.on_change("hz", fail)
    config.on_change("timeout", lambda value: None)
    with pytest.raises(RuntimeError, match="a mistake"):
        config.set([(b"timeout", b"5"), (b"hz", b"20")])
    assert (config["timeout"], config["hz"]) == (0, 10)


# Directives of modules


def test_directives_come_and_go() -> None:
    config = Config()
    size = Integer("mod.size", 3, 0, 10, summary="A size.")
    mode = Choice("mod.mode", "a", "a b", "immutable", summary="A mode.")
    config.add(size)
    config.add(mode)
    seen: list[object] = []
    config.on_change("mod.size", seen.append)
    config.set([(b"MOD.size", b"4")])
    assert seen == [4]
    assert config.get([b"mod.*"]) == [(b"mod.mode", b"a"), (b"mod.size", b"4")]
    assert config.directives()[-2:] == [size, mode]
    with pytest.raises(ValueError, match="already"):
        config.add(size)
    config.remove(size)
    assert config.get([b"mod.*"]) == [(b"mod.mode", b"a")]
    assert set_error(config, b"mod.size", b"1").startswith(b"ERR Unknown option")
    with pytest.raises(KeyError):
        config["mod.size"]


def test_own_forms_of_value() -> None:
    class Even(Directive):
        def parse(self, arguments, values):
            if int(arguments[0]) % 2:
                raise ConfigError("must be even")
            return int(arguments[0])

        def format(self, value):
            return b"%d" % value

    config = Config()
    config.add(Even("mod.even", 2, summary="An even number."))
    config.set([(b"mod.even", b"4")])
    assert config["mod.even"] == 4
    assert set_error(config, b"mod.even", b"5").endswith(b"'mod.even') - must be even")


# Process titles


@pytest.mark.parametrize(
    ("template", "expected"),
    [
        ("{title} {listen-addr} {server-mode}", "srv *:6379"),
        ("{title}:{port}{tls-port}", "srv:63790"),
        ("{{x} {config-file}", "{x} /c"),
        ("plain", "plain"),
        ("{bad}", ""),
        ("{title", ""),
    ],
)
def test_expand_title(template: str, expected: str) -> None:
    assert expand_title(template, Config().values, "srv", "/c") == expected


def test_expand_title_of_other_servers() -> None:
    config = Config()
    config["port"] = 0
    config["unixsocket"] = "/tmp/s"
    config["cluster-enabled"] = True
    title = expand_title("{listen-addr} {server-mode}", config.values, "x")
    assert title == "unixsocket:/tmp/s [cluster]"
