"""What programs printed, read as data: causes of failure, warnings, and nothing that is of this machine."""
