"""Keyword arguments as directives of redis.conf."""

from __future__ import annotations

from carnelian.engine.config import Config, ConfigFileError
from carnelian.engine.config.quoting import quote
from carnelian.engine.values import encode


def configuration(directives: dict[str, object]) -> Config:
    """A configuration with these directives, named with ``_`` in place of ``-``.

    Raises:
        TypeError: there is no directive of a name.
        ValueError: a directive does not take its value.
    """
    config = Config()
    for keyword, value in directives.items():
        name = keyword.replace("_", "-")
        if config.directive(name.encode()) is None:
            raise TypeError(f"Engine() got an unexpected keyword argument {keyword!r}")
        try:
            config.load_text(b" ".join([name.encode(), *map(quote, _words(value))]))
        except ConfigFileError as error:
            raise ValueError(f"{keyword}={value!r}: {error.reason}") from None
    return config


def _words(value: object) -> list[bytes]:
    if isinstance(value, bool):
        return [b"yes" if value else b"no"]
    if value is None:
        return [b""]
    if isinstance(value, (list, tuple)):
        return [word for part in value for word in _words(part)]
    return [encode(value)]
