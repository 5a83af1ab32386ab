"""Which cells there are, and as what: listed by tox, as jobs of an engine, as a run of many, as commands by hand."""
