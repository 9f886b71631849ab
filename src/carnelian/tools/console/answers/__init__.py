"""What the pages ask for: keys, values, figures, clients, settings, taps."""
