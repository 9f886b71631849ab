"""A server around a Sentinel: its commands, its configuration file, its scripts."""
