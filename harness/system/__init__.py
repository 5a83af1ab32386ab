"""What the harness needs of the machine: child processes, the broker, ports, files, waiting, processors."""
