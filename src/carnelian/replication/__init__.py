"""Primary and replicas: one stream of changes, and who leads or follows."""
