"""The words of the command line, and what they ask for."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Mapping, Sequence

from carnelian.tools.cli.forms.reply_forms import CSV, JSON, QUOTED_JSON, RAW, STANDARD
from carnelian.tools.cli.wire.addresses import Address, UrlError, parse_url
from carnelian.tools.cli.wire.socket_links import TlsOptions

ENV_PASSWORD = "REDISCLI_AUTH"
# Endings that make a file of a first word without a slash, whether it is there or not.
_FILE_ENDINGS = (".db", ".rdb")


class OptionError(Exception):
    """The command line makes no sense; the text says what, and for whom.

    ``plain`` says that it is no error: standard output is where it goes, as redis-cli has it.
    """

    def __init__(self, text: str, plain: bool = False):
        super().__init__(text)
        self.plain = plain


class Options:
    """What was asked for. The names are those of the options."""

    def __init__(self) -> None:
        self.address = Address()
        self.user: str | None = None
        self.password: str | None = None
        # Whether the password stood where others can see it.
        self.exposed = False
        self.warn_of_password = True
        self.ask_password = False
        self.db = 0
        self.protocol: int | None = None
        self.wishful = False
        self.timeout: float | None = None
        self.tls: TlsOptions | None = None
        self.cluster = False

        # None is what the output suggests: "standard" on a terminal.
        self.form: str | None = None
        self.between = b"\n"
        self.after = b"\n"
        self.show_pushes: bool | None = None
        self.fail_on_error = False

        # 0 or less: for ever.
        self.repeat = 1
        self.interval = 0.0
        self.stdin_last = False
        self.stdin_tag: bytes | None = None
        self.quoted_input = False

        # What is to be done instead of running a command; "" to run one or to ask for some.
        self.mode = ""
        self.argument = ""
        self.pattern: bytes | None = None
        self.count: int | None = None
        self.samples = 0
        self.top = 10
        self.pipe_timeout = 30.0
        self.script: str | None = None
        self.ldb = False
        self.ldb_sync = False
        self.verbose = False

        self.write = False
        self.modules: list[str] = []
        self.plain_prompt = False
        self.words: list[bytes] = []


def parse(words: Sequence[str], environment: Mapping[str, str]) -> Options:
    """The options that the words of a command line make. Raises OptionError."""
    options = Options()
    options.password = environment.get(ENV_PASSWORD)
    tls: dict[str, object] = {}
    position = 0
    while position < len(words):
        word = words[position]
        if not word.startswith("-"):
            if options.address.file is not None or not _names_file(word):
                break
            # Options may follow it.
            options.address = Address(file=word)
            position += 1
        else:
            position = _take_option(options, tls, words, position)
    if tls.pop("wanted", False) or options.tls is not None:
        options.tls = TlsOptions(**tls)  # type: ignore[arg-type]
    options.words = [os.fsencode(word) for word in words[position:]]
    if options.mode not in ("cluster", "help", "version"):
        _settle(options)
    return options


def _take_option(
    options: Options, tls: dict[str, object], words: Sequence[str], position: int
) -> int:
    """Heed the option at a position; returns where to go on. Raises OptionError."""
    word = words[position]
    position += 1
    if word == "--cluster":
        options.mode = "cluster"
        return len(words)
    if word in _TLS_FLAGS:
        tls[_TLS_FLAGS[word]] = True
    elif word in _FLAGS:
        _FLAGS[word](options)
    elif position == len(words) or not (word in _VALUES or word in _TLS_VALUES):
        if word != "-h":
            raise OptionError(f"Unrecognized option or bad number of args for: '{word}'")
        options.mode = "help"
    elif word in _TLS_VALUES:
        tls[_TLS_VALUES[word]] = words[position]
        return position + 1
    else:
        _VALUES[word](options, words[position])
        return position + 1
    return position


def _settle(options: Options) -> None:
    """What follows from all options together."""
    if options.stdin_last and options.stdin_tag is not None:
        raise OptionError("Options -x and -X are mutually exclusive.")
    if options.ldb and options.script is None:
        raise OptionError(
            "Options --ldb and --ldb-sync-mode require --eval.\n"
            "Try carnelian-cli --help for more information."
        )
    if options.form in (JSON, QUOTED_JSON) and options.protocol is None:
        options.protocol, options.wishful = 3, True
    if options.quoted_input and options.words:
        options.words = [_unquoted(word) for word in options.words]


def _names_file(word: str) -> bool:
    """Whether a word in the place of a command is a file."""
    if "/" in word:
        return True
    return "." in word and (word.endswith(_FILE_ENDINGS) or os.path.isfile(word))


def _unquoted(word: bytes) -> bytes:
    from carnelian.resp.quoting import split_arguments

    found = split_arguments(word)
    if found is None or len(found) != 1:
        raise OptionError("Invalid quoted string", plain=True)
    return found[0]


# -- What each option does ---------------------------------------------------------------------


def _set(name: str, value: object) -> Callable[[Options], None]:
    def change(options: Options) -> None:
        setattr(options, name, value)

    return change


def _mode(name: str) -> Callable[[Options], None]:
    return _set("mode", name)


def _sync_debugging(options: Options) -> None:
    options.ldb = options.ldb_sync = True


def _keep(name: str, made: Callable[[str], object] = str) -> Callable[[Options, str], None]:
    def change(options: Options, word: str) -> None:
        setattr(options, name, made(word))

    return change


def _mode_with(name: str) -> Callable[[Options, str], None]:
    def change(options: Options, word: str) -> None:
        options.mode, options.argument = name, word

    return change


def _number(word: str) -> int:
    """As C takes it: the digits that a word begins with, 0 without any."""
    word = word.strip()
    end = 1 if word[:1] in ("-", "+") else 0
    while end < len(word) and word[end].isdigit() and word[end].isascii():
        end += 1
    digits = word[:end]
    return int(digits) if digits.strip("+-") else 0


def _seconds(word: str) -> float:
    try:
        return max(float(word), 0.0)
    except ValueError:
        return 0.0


def _host(options: Options, word: str) -> None:
    options.address = options.address._replace(host=word)


def _port(options: Options, word: str) -> None:
    options.address = options.address._replace(port=_number(word))


def _socket(options: Options, word: str) -> None:
    options.address = options.address._replace(socket=word)


def _file(options: Options, word: str) -> None:
    options.address = options.address._replace(file=word)


def _password(options: Options, word: str) -> None:
    options.password, options.exposed = word, True


def _url(options: Options, word: str) -> None:
    try:
        target = parse_url(word)
    except UrlError as error:
        raise OptionError(str(error)) from None
    old = options.address
    options.address = Address(
        target.host or old.host, target.port or old.port, target.socket or old.socket
    )
    if target.password is not None:
        # An empty one logs in nowhere, and takes the place of what stands before.
        options.user, options.password = target.user, target.password or None
        options.exposed = options.password is not None
    if target.db is not None:
        options.db = target.db
    if target.tls and options.tls is None:
        options.tls = TlsOptions()


def _module(options: Options, word: str) -> None:
    options.modules.append(word)


def _samples(options: Options, word: str) -> None:
    options.mode, options.samples = "memkeys", max(_number(word), 0)


def _key_samples(options: Options, word: str) -> None:
    options.mode, options.samples = "keystats", max(_number(word), 0)


def _show_pushes(options: Options, word: str) -> None:
    if word[:1].lower() not in ("y", "n"):
        print(f"Unknown --show-pushes value '{word}' (valid: '[y]es', '[n]o')", file=sys.stderr)
        return
    options.show_pushes = word[:1].lower() == "y"


def _quoted_pattern(options: Options, word: str) -> None:
    options.pattern = _unquoted(os.fsencode(word))


_TLS_FLAGS = {"--tls": "wanted", "--insecure": "insecure"}
_TLS_VALUES = {
    "--sni": "sni",
    "--cacert": "ca_file",
    "--cacertdir": "ca_directory",
    "--cert": "certificate",
    "--key": "key",
    "--tls-ciphers": "ciphers",
    "--tls-ciphersuites": "suites",
}

_FLAGS: dict[str, Callable[[Options], None]] = {
    "--help": _mode("help"),
    "--version": _mode("version"),
    "-v": _mode("version"),
    "-x": _set("stdin_last", True),
    "-c": _set("cluster", True),
    "-e": _set("fail_on_error", True),
    "-2": _set("protocol", 2),
    "-3": _set("protocol", 3),
    "--raw": _set("form", RAW),
    "--no-raw": _set("form", STANDARD),
    "--csv": _set("form", CSV),
    "--json": _set("form", JSON),
    "--quoted-json": _set("form", QUOTED_JSON),
    "--quoted-input": _set("quoted_input", True),
    "--askpass": _set("ask_password", True),
    "--no-auth-warning": _set("warn_of_password", False),
    "--verbose": _set("verbose", True),
    "--latency": _mode("latency"),
    "--latency-history": _mode("latency-history"),
    "--latency-dist": _mode("latency-dist"),
    "--stat": _mode("stat"),
    "--scan": _mode("scan"),
    "--bigkeys": _mode("bigkeys"),
    "--memkeys": _mode("memkeys"),
    "--hotkeys": _mode("hotkeys"),
    "--keystats": _mode("keystats"),
    "--pipe": _mode("pipe"),
    "--replica": _mode("replica"),
    "--slave": _mode("replica"),
    "--ldb": _set("ldb", True),
    "--ldb-sync-mode": _sync_debugging,
    "--write": _set("write", True),
    "--plain-prompt": _set("plain_prompt", True),
}

_VALUES: dict[str, Callable[[Options, str], None]] = {
    "--loadmodule": _module,
    "-h": _host,
    "-p": _port,
    "-s": _socket,
    "-a": _password,
    "--pass": _password,
    "--user": _keep("user"),
    "-u": _url,
    "-r": _keep("repeat", _number),
    "-i": _keep("interval", _seconds),
    "-t": _keep("timeout", lambda word: _seconds(word) or None),
    "-n": _keep("db", _number),
    "-X": _keep("stdin_tag", os.fsencode),
    "-d": _keep("between", os.fsencode),
    "-D": _keep("after", os.fsencode),
    "--show-pushes": _show_pushes,
    "--lru-test": _mode_with("lru-test"),
    "--intrinsic-latency": _mode_with("intrinsic-latency"),
    "--rdb": _mode_with("rdb"),
    "--functions-rdb": _mode_with("functions-rdb"),
    "--pipe-timeout": _keep("pipe_timeout", _seconds),
    "--memkeys-samples": _samples,
    "--keystats-samples": _key_samples,
    "--top": _keep("top", _number),
    "--pattern": _keep("pattern", os.fsencode),
    "--quoted-pattern": _quoted_pattern,
    "--count": _keep("count", _number),
    "--eval": _keep("script"),
    "--file": _file,
}
