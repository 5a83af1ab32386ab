"""The reports: rendered from results alone, and the same byte for byte for the same results."""
