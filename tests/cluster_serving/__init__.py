"""A server as a node of a cluster: what it lets in and tells, and clusters of servers."""
