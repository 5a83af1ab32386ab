"""The chat on Channels 1: consumers that workers run, with daphne and a channel layer between."""
