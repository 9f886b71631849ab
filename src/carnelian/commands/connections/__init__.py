"""Commands about the connection itself: who it is, transactions, messages, and the cluster that it
may be told about.
"""
