"""The chat on Channels 2, 3 and 4: one set of consumers, for what changed between them is at its edges."""
