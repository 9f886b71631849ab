"""The protocol: requests out of bytes, replies into bytes. It does no I/O."""
