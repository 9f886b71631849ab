"""The texts of ``carnelian-fleet --help``."""

from __future__ import annotations

OVERVIEW = """\
Usage: carnelian-fleet [--shards N] [--replicas N] [options] [-- directives of the nodes]
       carnelian-fleet COMMAND [options]

A Redis Cluster on this machine with one command: starts the nodes, joins them, shows them, starts
again what dies, and stops them in order. Started once more, it goes on with the same nodes and
data; nodes that still run are taken over.

Starting
  --shards N            primaries, which share the slots (3)
  --replicas N          replicas of each of them (1)
  --port N              port of the first node; the others follow (7000)
  --dir DIR             where state, data and logs are (./carnelian-fleet)
  --bind ADDR ...       addresses that the nodes listen on (127.0.0.1)
  --announce-ip ADDR    address that other machines reach the nodes at
  --server PROGRAM      run this instead of carnelian-server, such as redis-server
  --detach              come back when the cluster works, and leave it in the background
  -- [FILE] --NAME VALUE ...
                        directives of redis.conf for every node, and a file of them

Commands, for the fleet in --dir DIR
  status                show the nodes (--watch: all the time; --json: for programs)
  stop                  stop all nodes, replicas first (--now: kill them)
  add-shard             start a primary with its replicas, and move slots to it (--replicas N)
  remove-shard NODE     move the slots of a shard to the others, and stop its nodes
  rebalance             give all primaries equally many slots
  add-replica           start a replica where there are fewest (--of NODE, --count N)
  remove-replica [NODE] stop a replica, one of those who have most
  NODE is a port, or the beginning of an ID. carnelian-fleet COMMAND --help tells more.

Examples
  carnelian-fleet                                    3 shards with a replica each, Ctrl-C stops
  carnelian-fleet --shards 4 --replicas 0 --detach
  carnelian-fleet --dir /srv/fleet -- --appendonly yes --maxmemory 1gb --requirepass secret
  carnelian-fleet add-shard --dir /srv/fleet
  redis-cli -c -p 7000 set greeting hello            any client that knows clusters

Exit status: 0 done, 1 it could not be done, 2 the command line is wrong, 130 interrupted.
"""

STATUS = """\
Shows the nodes of a fleet: role, shard, slots, keys, memory, operations per second, how many bytes
of changes a replica lacks, and the state.

Exit status: 0 if all nodes answer, the cluster works for each and all slots have a live node, 1 if
not, 3 if none runs or there is no fleet.
"""

STOP = """\
Stops all nodes: replicas first, then primaries, which save what they have if they are configured
to. The supervisor does so if there is one, and ends as well.
"""

ADD_SHARD = """\
Starts a primary with its replicas, joins them, and moves slots to it from the others until all have
equally many. Clients are served meanwhile. Ctrl-C stops between two slots (twice: at once, which
leaves some half moved); the same command goes on then.
"""

REMOVE_SHARD = """\
Moves all slots of a shard to those that have fewest, has the other nodes forget its nodes, and
stops these. NODE is the port or ID of any node of the shard. Clients are served meanwhile. Ctrl-C
stops between two slots; the same command goes on then. Directories are kept in DIR/removed.
"""

REBALANCE = """\
Moves as few slots as can be until all primaries have equally many. Slots that an interrupted move
of this or another tool has left half moved are finished first.
"""

ADD_REPLICA = """\
Starts a replica of the primary with the fewest replicas, or of the shard that --of names, and joins
it.
"""

REMOVE_REPLICA = """\
Stops a replica, and has the other nodes forget it: NODE (a port or an ID), or one of those of the
primary that has most. Its directory is kept in DIR/removed.
"""
