"""The messages between nodes: their bytes, and the links that carry them."""
