"""Load: how many sockets a cell's server holds, and whether a broadcast reaches all of them."""
