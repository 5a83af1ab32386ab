"""Scenarios: somebody's own chat as a file describes it, who talks in it, and what each of them is to hear."""
