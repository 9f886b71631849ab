"""What monitoring asks for: OpenMetrics, and whether the server is well."""
