"""The protocol from the other end: requests into bytes, replies out of bytes. It does no I/O."""
