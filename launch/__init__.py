"""Starting, stopping and examining a whole system on this machine: what `hsi` does."""
