"""``carnelian-fleet``: a Redis Cluster on one machine, started, watched, grown and shrunk.

What is wanted stands in a file of the fleet's directory (``wanted``). One process, the supervisor
(``supervising``), keeps nodes running as that file says; commands that change a fleet
(``changing``) write the file and talk to the nodes, and may be ended and begun again at any point.
``planning`` decides without I/O, ``wire`` asks nodes, ``processes`` starts and ends them, and
``screen`` shows all of it.
"""
