"""The same chat through the other libraries: one package each, and what they share."""
