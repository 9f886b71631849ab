"""What cannot be done with a fleet."""

from __future__ import annotations


class FleetError(Exception):
    """It cannot be done; the text tells people why, and what they can do."""


class NoFleetError(FleetError):
    """The directory has no fleet."""
