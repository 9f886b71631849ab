"""The parameters of a request, each taken out with its type and bounds."""

from __future__ import annotations

from typing import Any

from carnelian.tools.console.answers.json_values import BadRequestError, to_bytes

MOST_DATABASES = 2**31 - 1
_LONGEST_TEXT = 64 * 1024


class Parameters:
    """What a page has sent. All methods raise BadRequestError for what is missing or wrong."""

    def __init__(self, values: Any):
        if not isinstance(values, dict):
            raise BadRequestError("The body has to be a JSON object.")
        self._values = values

    def has(self, name: str) -> bool:
        """Whether there is such a parameter, and it is not null."""
        return self._values.get(name) is not None

    def data(self, name: str) -> bytes:
        """Bytes: a key, a field, a value."""
        return to_bytes(self._values.get(name), name)

    def text(self, name: str, default: str | None = None) -> str:
        """A text of one line or a few, for what is no data."""
        value = self._values.get(name, default)
        if not isinstance(value, str) or len(value) > _LONGEST_TEXT:
            raise BadRequestError(f"{name} has to be a text.")
        try:
            value.encode()
        except UnicodeEncodeError:
            raise BadRequestError(f"{name} is no text.") from None
        return value

    def choice(self, name: str, *words: str) -> str:
        """One of several words, the first if nothing is said."""
        value = self.text(name, words[0])
        if value not in words:
            raise BadRequestError(f"{name} has to be one of {', '.join(words)}.")
        return value

    def number(self, name: str, default: int | None, low: int, high: int) -> int:
        """A whole number between bounds."""
        value = self._values.get(name, default)
        if isinstance(value, bool) or not isinstance(value, int) or not low <= value <= high:
            raise BadRequestError(f"{name} has to be a whole number from {low} to {high}.")
        return value

    def flag(self, name: str) -> bool:
        """Yes or no; no if nothing is said."""
        value = self._values.get(name, False)
        if not isinstance(value, bool):
            raise BadRequestError(f"{name} has to be true or false.")
        return value

    def items(self, name: str, most: int) -> list[Any]:
        """A list of at most so many."""
        value = self._values.get(name, [])
        if not isinstance(value, list) or len(value) > most:
            raise BadRequestError(f"{name} has to be a list of {most} at most.")
        return value

    def byte_items(self, name: str, most: int) -> list[bytes]:
        """A list of bytes."""
        return [to_bytes(value, name) for value in self.items(name, most)]

    @property
    def database(self) -> int:
        """``db``: the number of a database."""
        return self.number("db", 0, 0, MOST_DATABASES)
