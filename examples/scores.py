"""Commands for a game: the scores of players, kept in plain strings.

    carnelian-server --loadmodule examples/scores.py 1000
    redis-cli SCORE.ADD anna 7

or, in your own process::

    import carnelian

    engine = carnelian.Engine()
    engine.load_module("examples/scores.py", 1000)
    engine.execute("SCORE.ADD", "anna", 7)
"""

import carnelian

__carnelian_module__ = {"name": "scores", "version": 1}

limit = 1_000_000


def on_load(module):
    """Take the highest score there can be from the arguments, if it is given."""
    global limit
    if module.args:
        limit = int(module.args[0])
    module.log(f"scores go up to {limit}")


@carnelian.command("SCORE.ADD", arity=3, flags="write denyoom fast", keys=1)
def add(session, args):
    """Add points to the score of a player, and return it."""
    points = int(args[2])
    if points <= 0:
        raise carnelian.Error("ERR points must be positive")
    score = min(int(session.call("GET", args[1]) or 0) + points, limit)
    session.call("SET", args[1], score)
    return score


@carnelian.command("SCORE.TOP", arity=-2, flags="readonly", keys=(1, -1, 1))
def top(session, args):
    """Return the scores of players, highest first."""
    scores = {player: int(session.call("GET", player) or 0) for player in args[1:]}
    return dict(sorted(scores.items(), key=lambda item: item[1], reverse=True))
