"""A server as a node of a cluster: what it lets in, what it tells, and whole clusters of servers."""
