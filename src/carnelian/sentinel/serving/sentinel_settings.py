"""What SENTINEL SET, CONFIG, DEBUG and SIMULATE-FAILURE change."""

from __future__ import annotations

from carnelian.datatypes.algorithms.glob import matches
from carnelian.engine.config.quantities import parse_integer
from carnelian.engine.config.settings import Config
from carnelian.engine.parts.monitors import redact
from carnelian.resp.replies import OK, Error
from carnelian.sentinel.known.instances import Primary
from carnelian.sentinel.known.peer_address import MOST_PORTS
from carnelian.sentinel.known.periods import FIELDS
from carnelian.sentinel.known.sentinel_words import to_bytes, to_text, without_controls
from carnelian.sentinel.known.watch import SimulatedFailure, Watch
from carnelian.sentinel.watching.watching_loop import Sentinel
from carnelian.server.system.log_file import LEVELS

_NOT_SAVED = "ERR Failed to save config file. Check server logs."

# Numbers of a primary: the field, and the least value.
_NUMBERS = {
    "down-after-milliseconds": ("down_after", 1),
    "failover-timeout": ("failover_timeout", 1),
    "parallel-syncs": ("parallel_syncs", 1),
    "quorum": ("quorum", 1),
    "master-reboot-down-after-period": ("reboot_down_after", 0),
}
# Scripts of a primary: the field, and what the script is called in an error.
_SCRIPTS = {
    "notification-script": ("notification_script", "Notification script"),
    "client-reconfig-script": ("reconfig_script", "Client reconfiguration script"),
}
_CREDENTIALS = {"auth-pass": "auth_pass", "auth-user": "auth_user"}

# In the order in which SENTINEL CONFIG GET shows them.
_OPTIONS = (
    "resolve-hostnames", "announce-hostnames", "announce-ip", "announce-port", "sentinel-user",
    "sentinel-pass", "loglevel",
)  # fmt: skip
_SWITCHES = ("resolve-hostnames", "announce-hostnames")

_FAILURES = {
    "crash-after-election": (
        SimulatedFailure.AFTER_ELECTION,
        "after being successfully elected as failover leader",
    ),
    "crash-after-promotion": (
        SimulatedFailure.AFTER_PROMOTION,
        "after promoting the selected replica to master",
    ),
}


def saved(watch: Watch) -> bytes:
    """Bring all to the disk; OK, or raises Error."""
    if not watch.save():
        raise Error(_NOT_SAVED)
    return OK


# -- SENTINEL SET ------------------------------------------------------------------------------


class PrimarySettings:
    """Sets options of a primary, one after the other: those before a bad one are set."""

    def __init__(self, sentinel: Sentinel, primary: Primary):
        self._sentinel = sentinel
        self._watch = sentinel.watch
        self._primary = primary

    def set_all(self, args: list[bytes], first: int) -> bytes:
        """Set what the words of a command say from a position on. Raises Error."""
        changed = False
        at = first
        try:
            while at < len(args):
                count = self._set(args, at)
                self._tell(args[at : at + count])
                changed = True
                at += count
        except Error:
            if changed:
                self._watch.save()
            raise
        return saved(self._watch)

    def _set(self, args: list[bytes], at: int) -> int:
        """Set one option; the number of its words."""
        option = to_text(args[at]).lower()
        values = args[at + 1 :]
        if option == "rename-command" and len(values) > 1:
            self._rename(values)
            return 3
        if not values:
            raise self._unknown(args[at])
        if option in _NUMBERS:
            self._set_number(option, values[0], args[at])
        elif option in _SCRIPTS:
            self._set_script(option, values[0])
        elif option in _CREDENTIALS:
            if option == "auth-pass":
                redact(args, at + 1)
            setattr(self._primary, _CREDENTIALS[option], to_text(values[0]) or None)
            self._sentinel.roster.drop_data_links(self._primary)
        else:
            raise self._unknown(args[at])
        return 2

    @staticmethod
    def _unknown(option: bytes) -> Error:
        shown = b"ERR Unknown option or number of arguments for SENTINEL SET '%s'"
        return Error(shown % option)

    def _set_number(self, option: str, value: bytes, shown: bytes) -> None:
        field, least = _NUMBERS[option]
        number = parse_integer(value)
        if number is None or number < least:
            raise Error(b"ERR Invalid argument '%s' for SENTINEL SET '%s'" % (value, shown))
        setattr(self._primary, field, number)
        if field == "down_after":
            for member in self._primary.members():
                member.down_after = number

    def _set_script(self, option: str, value: bytes) -> None:
        field, shown = _SCRIPTS[option]
        if self._watch.options.deny_scripts_reconfig:
            raise Error(
                "ERR Reconfiguration of scripts path is denied for security reasons. Check the "
                "deny-scripts-reconfig configuration directive in your Sentinel configuration"
            )
        path = without_controls(option, value)
        if path and not self._watch.around.is_executable(path):
            raise Error(f"ERR {shown} seems non existing or non executable")
        setattr(self._primary, field, path or None)

    def _rename(self, values: list[bytes]) -> None:
        for value in reversed(values[:2]):
            if not value:
                raise Error(b"ERR Invalid argument '' for SENTINEL SET 'rename-command'")
        usual, own = (without_controls("rename-command", value) for value in values[:2])
        self._primary.renamed.pop(usual.lower(), None)
        if usual.lower() != own.lower():
            self._primary.renamed[usual.lower()] = (usual, own)

    def _tell(self, words: list[bytes]) -> None:
        shown = [to_text(word) for word in words]
        if shown[0].lower() == "auth-pass":
            shown[1] = "******"
        self._watch.event("warning", "+set", self._primary, " " + " ".join(shown))


# -- SENTINEL CONFIG ---------------------------------------------------------------------------


class GlobalSettings:
    """Shows and sets options of the Sentinel itself."""

    def __init__(self, sentinel: Sentinel, config: Config):
        self._sentinel = sentinel
        self._watch = sentinel.watch
        self._config = config

    def get(self, patterns: list[bytes]) -> dict[bytes, bytes]:
        """The options that match any of the patterns."""
        return {
            name.encode(): self._shown(name)
            for name in _OPTIONS
            if any(matches(pattern, name.encode(), True) for pattern in patterns)
        }

    def _shown(self, name: str) -> bytes:
        if name == "loglevel":
            return to_bytes(self._config["loglevel"])
        value = getattr(self._watch.options, name.replace("-", "_"))
        if name in _SWITCHES:
            return b"yes" if value else b"no"
        return b"" if value is None else to_bytes(value)

    def set_all(self, words: list[bytes]) -> bytes:
        """Set options, all of them or none. Raises Error."""
        chosen = self._checked(words)
        for name, value in chosen.items():
            self._set(name, value)
        try:
            return saved(self._watch)
        finally:
            if chosen.keys() & {"sentinel-user", "sentinel-pass"}:
                self._sentinel.roster.drop_sentinel_links()

    def _checked(self, words: list[bytes]) -> dict[str, bytes]:
        chosen: dict[str, bytes] = {}
        for at in range(0, len(words), 2):
            shown = words[at]
            name = to_text(shown).lower()
            if name not in _OPTIONS:
                raise Error(b"ERR Invalid argument '%s' to SENTINEL CONFIG SET" % shown)
            if name in chosen:
                raise Error(b"ERR Duplicate argument '%s' to SENTINEL CONFIG SET" % shown)
            if at + 1 == len(words):
                raise Error(b"ERR Missing argument '%s' value" % shown)
            value = words[at + 1]
            if name == "announce-ip":
                without_controls(name, value)
            if not _is_good(name, value):
                raise Error(b"ERR Invalid value '%s' to SENTINEL CONFIG SET '%s'" % (value, shown))
            chosen[name] = value
        return chosen

    def _set(self, name: str, value: bytes) -> None:
        options, text = self._watch.options, to_text(value)
        if name == "loglevel":
            self._config.set([(b"loglevel", value)])
        elif name in _SWITCHES:
            setattr(options, name.replace("-", "_"), text.lower() == "yes")
        elif name == "announce-port":
            options.announce_port = int(value)
        else:
            setattr(options, name.replace("-", "_"), text or None)


def _is_good(name: str, value: bytes) -> bool:
    """Whether a value is one of an option."""
    if name in _SWITCHES:
        return value.lower() in (b"yes", b"no")
    if name == "announce-port":
        number = parse_integer(value)
        return number is not None and 0 <= number <= MOST_PORTS
    return name != "loglevel" or to_text(value).lower() in LEVELS


# -- SENTINEL DEBUG and SIMULATE-FAILURE -------------------------------------------------------


def periods(watch: Watch) -> dict[bytes, bytes]:
    """The times that can be changed, and their values in milliseconds."""
    return {
        name.upper().encode(): to_bytes(getattr(watch.periods, field))
        for name, field in FIELDS.items()
    }


def set_periods(watch: Watch, words: list[bytes]) -> bytes:
    """Change times, one after the other: those before a bad one are changed. Raises Error."""
    for at in range(0, len(words), 2):
        field = FIELDS.get(to_text(words[at]).lower())
        if field is None or at + 1 == len(words):
            shown = b"ERR Unknown option or number of arguments for SENTINEL DEBUG '%s'"
            raise Error(shown % words[at])
        number = parse_integer(words[at + 1])
        if number is None or number <= 0:
            shown = b"ERR Invalid argument '%s' for SENTINEL DEBUG '%s'"
            raise Error(shown % (words[at + 1], words[at]))
        setattr(watch.periods, field, number)
    return OK


def simulate(watch: Watch, words: list[bytes]) -> object:
    """Crash when it is said to, or never; the ways to, if HELP is asked for. Raises Error."""
    watch.simulated_failure = SimulatedFailure.NONE
    for word in words:
        name = to_text(word).lower()
        if name == "help":
            return [each.encode() for each in _FAILURES]
        if name not in _FAILURES:
            raise Error("ERR Unknown failure simulation specified")
        failure, when = _FAILURES[name]
        watch.simulated_failure |= failure
        watch.around.log("warning", f"Failure simulation: this Sentinel will crash {when}")
    return OK
