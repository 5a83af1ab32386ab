"""A build backend that always fails, as a source archive without its compiler does."""


def build_wheel(wheel_directory, config_settings=None, metadata_directory=None):
    raise SystemExit("error: this package needs a compiler that nobody has")
