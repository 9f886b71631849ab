"""Refuse to test compiled modules that are not those of the sources."""

import pytest

from support.compiled import outdated

if _outdated := outdated():
    pytest.exit(f"not built since they changed (run make build): {', '.join(_outdated)}", 2)
