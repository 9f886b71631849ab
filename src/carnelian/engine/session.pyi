"""A client with its engine: what handlers get, and what carriers subclass."""

from typing import Any

from carnelian.engine.engine import Engine
from carnelian.engine.extensions.conversion import Word
from carnelian.engine.shared.client_state import Client

class Session(Client):
    engine: Engine

    def __init__(self, engine: Engine) -> None: ...
    # Any: what it is depends on the command, and is of Python's own types.
    def call(self, name: Word, /, *words: Word) -> Any: ...
