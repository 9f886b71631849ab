"""What stands for something outside of Python's objects, and so cannot be copied."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any


def refuse_copies(what: str) -> Callable[[Any, Any], Any]:
    """A ``__reduce_ex__`` for a class whose objects can be neither copied nor pickled.

    Its TypeError says ``what`` cannot: ``"an engine"``.
    """

    def __reduce_ex__(self: object, protocol: object) -> Any:
        raise TypeError(f"{what} cannot be copied or pickled")

    return __reduce_ex__
