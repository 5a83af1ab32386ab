"""A crowd of sockets on one server: how many it holds, and whether a broadcast reaches all of them."""
