"""The process and the system around a server: daemon, signals, log, crash reports, checks at its
start.
"""
