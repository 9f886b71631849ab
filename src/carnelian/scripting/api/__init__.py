"""What scripts find in ``redis``, and what stands behind it."""
