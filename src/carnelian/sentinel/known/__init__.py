"""What a Sentinel knows of primaries, their replicas and other Sentinels, and how it is kept."""
