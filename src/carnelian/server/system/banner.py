"""What a person sees when the server starts in a terminal."""

from __future__ import annotations

LOGO = r"""
              .-~~~-.
          .-~~   |   ~~-.           Carnelian {version}, a Redis for the Python world
       .-~  \    |    /  ~-.        speaks the protocol of Redis {redis_version}
      /------\---+---/------\
      \       \  |  /       /       Running in {mode} mode
       \       \ | /       /        Port: {port}
        \       \|/       /         PID: {pid}
         `.      V      .'
           `-.       .-'            Python {python}, {bits} bit
              `-...-'

"""


def render(**fields: object) -> str:
    """The banner; ``fields`` are version, redis_version, mode, port, pid, python and bits."""
    return LOGO.format(**fields)
