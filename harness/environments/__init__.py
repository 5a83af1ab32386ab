"""The cells' Pythons: which are on this machine, and how environments are made for those that are very old."""
