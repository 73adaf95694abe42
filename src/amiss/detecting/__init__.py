"""What detectors share: trees, windows, snapshots, networks of other programs. Pure."""
