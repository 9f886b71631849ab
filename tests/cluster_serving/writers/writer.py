"""Writes keys by redis-py, and tells of those that a replica has: see ../cluster_soak.py."""

from __future__ import annotations

import random
import sys
import time
from typing import Any

import redis
from redis.cluster import ClusterNode, RedisCluster


def connect(ports: list[str]) -> RedisCluster:
    """A client, as soon as there is a node that answers."""
    nodes = [ClusterNode("127.0.0.1", int(port)) for port in ports]
    while True:
        try:
            return RedisCluster(startup_nodes=nodes, socket_timeout=3, decode_responses=True)
        except redis.RedisError:
            time.sleep(0.1)


def write(client: Any, key: str, number: int) -> int:
    """Set a key at the node that has it; how many replicas have it then."""
    node = client.get_node_from_key(key)
    connection = client.get_redis_connection(node).connection_pool.get_connection()
    try:
        connection.send_command("SET", key, number)
        connection.read_response()
        connection.send_command("WAIT", 1, 1000)
        return int(connection.read_response())
    except BaseException:
        connection.disconnect()
        raise
    finally:
        client.get_redis_connection(node).connection_pool.release(connection)


def main(name: str, ports: list[str]) -> None:
    """Write and read for ever."""
    client: Any = connect(ports)
    confirmed: list[int] = []
    number = 0
    while True:
        number += 1
        key = f"{name}:{number}"
        try:
            if write(client, key, number) >= 1:
                print(f"confirmed {key} {number}", flush=True)
                confirmed.append(number)
        except (redis.RedisError, OSError):
            time.sleep(0.05)
            try:
                client.nodes_manager.initialize()
            except redis.RedisError:
                time.sleep(0.2)
        if not confirmed:
            continue
        asked = random.choice(confirmed)
        try:
            answer = client.get(f"{name}:{asked}")
        except (redis.RedisError, OSError):
            continue
        if answer != str(asked):
            print(f"wrong {name}:{asked} {answer}", flush=True)


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2:])
