"""The plug-in for pytest: a server on a real port, members, and assertions that prove who heard what."""
