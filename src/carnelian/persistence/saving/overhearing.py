"""What an engine logs while something is done, for an error that says why it failed."""

from __future__ import annotations

from carnelian.engine.engine import Engine


class Overheard:
    """The warnings that an engine logs within the block."""

    def __init__(self, engine: Engine):
        self.warnings: list[str] = []
        self._engine = engine
        self._log = engine.log

    def __enter__(self) -> list[str]:
        self._engine.log = self._listen
        return self.warnings

    def __exit__(self, *exc_info: object) -> None:
        self._engine.log = self._log

    def _listen(self, level: str, message: str) -> None:
        if level == "warning":
            self.warnings.append(message)
        self._log(level, message)
