"""What is raised on the bus."""


class BusError(Exception):
    """Bytes from another node that are no message."""
