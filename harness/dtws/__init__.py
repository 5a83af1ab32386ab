"""``dtws``: the same proof for somebody's own chat; one command a module."""
