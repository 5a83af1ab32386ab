"""A cell that is being measured: its steps, its installation, its server, and how questions are asked of it."""
