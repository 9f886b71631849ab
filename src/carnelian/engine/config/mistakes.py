"""What can go wrong with a configuration."""

from carnelian import __version__


class ConfigError(Exception):
    """A value is refused; ``reason`` is what Redis says after "- " and after the bad line.

    Raised by directives that cannot read a value, and by hooks that cannot apply one.
    """

    def __init__(self, reason: str):
        super().__init__(reason)
        self.reason = reason


class ConfigFileError(Exception):
    """A configuration text is refused; ``str(error)`` is what a server prints before it exits.

    ``line_number`` counts from 1 and is 0 when no single line is to blame.
    """

    def __init__(self, reason: str, line_number: int = 0, line: str = ""):
        super().__init__(reason)
        self.reason = reason
        self.line_number = line_number
        self.line = line

    def __str__(self) -> str:
        lines = ["", f"*** FATAL CONFIG FILE ERROR (Carnelian {__version__}) ***"]
        if self.line_number:
            lines.append(f"Reading the configuration file, at line {self.line_number}")
            lines.append(f">>> '{self.line}'")
        lines.append(self.reason)
        return "\n".join(lines)


class ConfigOpenError(ConfigFileError):
    """A configuration file cannot be read; redis-server logs this line and exits."""

    def __init__(self, path: str, error: OSError):
        super().__init__(f"Fatal error, can't open config file '{path}': {error.strerror}")
        self.path = path

    def __str__(self) -> str:
        return self.reason
