"""What the benchmarks share: servers of their own, a small client, figures of a process, output."""
