"""What the supervisor needs to run a cluster of its own: its directory, its binaries, its processes, its creation."""
