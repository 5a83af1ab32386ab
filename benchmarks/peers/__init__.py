"""The load client beside its peers: the same task for each, a program for each, on one server.

A program is told the port, and prints one row of JSON; :mod:`benchmarks.peers.compare` runs them in turn.
"""
