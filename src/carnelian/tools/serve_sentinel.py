"""``carnelian-sentinel``: takes the command line and the configuration file of redis-sentinel."""

from __future__ import annotations

from collections.abc import Sequence

from carnelian.tools import serve


def main(argv: Sequence[str] | None = None) -> int:
    """Run the program; returns its exit status."""
    return serve.main(argv, sentinel=True)


if __name__ == "__main__":
    raise SystemExit(main())
