"""The libraries under test: one module each, found by its name, and the prose about it."""
