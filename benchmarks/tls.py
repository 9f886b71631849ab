"""What TLS costs: this server and redis-server in turns, by redis-benchmark over TLS.

``python benchmarks/tls.py`` with a folder of certificates as tests/tls of Redis's suite has them,
or with ones of its own making.
"""
