"""What makes a server a node: which commands it takes, and what the cluster asks of the engine."""
