"""The live connection of a client: what it may say, what waits for it, how it ends."""
