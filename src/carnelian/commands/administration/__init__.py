"""Commands for those who run a server: configuration, debugging, memory, latency, modules."""
