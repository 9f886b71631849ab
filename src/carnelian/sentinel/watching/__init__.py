"""What a Sentinel does: asks, listens, decides who is down, votes, and fails over."""
