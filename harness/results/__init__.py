"""The result document, the folder it lies in, its history, and what can be said of two of them."""
