"""What a node knows of the cluster, in memory, on the disk and as text."""
