"""Tasks that carry much: requests to the server, and what it sends to replicas."""
