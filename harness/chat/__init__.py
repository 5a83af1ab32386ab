"""A chat under test: who talks, what is said, who may hear it, and the judge. It knows no framework and no library."""
