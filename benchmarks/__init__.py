"""What this project holds itself to: ``python -m benchmarks.figures`` measures it, and prints it beside its goals."""
