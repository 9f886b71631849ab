"""Requests out, replies in: sockets, TLS, files that are opened by an engine of this process."""
