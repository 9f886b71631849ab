"""Redis's own test suite, run against carnelian-server: ``python -m tests.redis_suite``."""
