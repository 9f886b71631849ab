"""A Sentinel: watches primaries together with others of its kind, and puts a replica in the place
of one that is down.

``links`` talk to what is watched, ``known`` is what a Sentinel knows, ``watching`` what it does
about it, and ``serving`` makes a server of that. All but the last is a protocol without I/O
(:mod:`carnelian.net.protocol`): it runs the same in a simulated network.
"""
