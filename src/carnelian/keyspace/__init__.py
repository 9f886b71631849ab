"""The databases: lookup, expiry, eviction, access clocks, the count of bytes."""
