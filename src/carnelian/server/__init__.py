"""An engine behind sockets: connections, whom to take in, and the process around them."""
