"""Keyword arguments as directives of redis.conf."""

from __future__ import annotations

from carnelian.engine.config import Config, ConfigFileError
from carnelian.engine.config.directives import DIRECTIVES
from carnelian.engine.config.quoting import quote
from carnelian.engine.values import encode

NAMES = frozenset(name for d in DIRECTIVES for name in (d.name, d.alias) if name is not None)
# What the path of an engine decides.
_DECIDED = ("dir", "dbfilename", "appenddirname")


def configuration(directives: dict[str, object], kept: bool) -> Config:
    """A configuration with these directives, named with ``_`` in place of ``-``.

    ``kept`` says that the engine has a path.

    Raises:
        TypeError: there is no directive of a name, or it is not for the caller to give.
        ValueError: a directive does not take its value.
    """
    config = Config()
    if not kept:
        config["save"] = ()
    for keyword, value in directives.items():
        name = _name(keyword)
        if config.directive(name.encode()) is None:
            raise TypeError(f"Engine() got an unexpected keyword argument {keyword!r}")
        if kept and name in _DECIDED:
            raise TypeError(f"Engine() got both a path and {keyword!r}, which the path decides")
        try:
            config.load_text(b" ".join([name.encode(), *map(quote, _words(value))]))
        except ConfigFileError as error:
            raise ValueError(f"{keyword}={value!r}: {error.reason}") from None
    for name in () if kept else ("save", "appendonly"):
        if config[name]:
            raise ValueError(f"{name} needs a path to keep the data in")
    return config


def is_directive(keyword: str) -> bool:
    """Whether a keyword argument is a directive."""
    return _name(keyword) in NAMES


def _name(keyword: str) -> str:
    return keyword.replace("_", "-")


def _words(value: object) -> list[bytes]:
    if isinstance(value, bool):
        return [b"yes" if value else b"no"]
    if value is None:
        return [b""]
    if isinstance(value, (list, tuple)):
        return [word for part in value for word in _words(part)]
    return [encode(value)]
