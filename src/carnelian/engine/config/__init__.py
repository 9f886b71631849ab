"""The configuration: every directive of redis.conf, its file, its arguments and CONFIG.

``Config`` holds the values. What a directive is stands in ``directive`` and ``special``, which
there are in ``directives``, and docs/configuration.md lists them.
"""

from carnelian.engine.config.command_line import Arguments, parse_arguments
from carnelian.engine.config.mistakes import ConfigError, ConfigFileError, ConfigOpenError
from carnelian.engine.config.settings import Config
from carnelian.engine.config.special import BufferLimit, BufferLimits

__all__ = [
    "Arguments",
    "BufferLimit",
    "BufferLimits",
    "Config",
    "ConfigError",
    "ConfigFileError",
    "ConfigOpenError",
    "parse_arguments",
]
