"""``carnelian console``: a Redis in the browser, its metrics, and whether it is well.

It knows no engine: it is a client among others, of our own server, which starts it as a process
beside itself, or of any Redis. What somebody may do is what the server lets the user do that they
logged in as.
"""
