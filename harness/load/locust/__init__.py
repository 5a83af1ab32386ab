"""The same crowd on many machines, by Locust: a master that conducts, and workers with a shard of the sockets each."""
