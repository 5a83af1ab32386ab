"""Probes: further sets of questions to a cell, one module each; they take longer, and are asked only when told."""
