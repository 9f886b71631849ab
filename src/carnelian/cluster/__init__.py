"""Redis Cluster: the nodes that share the keys, how they agree, and what serves it to clients."""
