"""Decisions: pure and synchronous; time and randomness are arguments, nothing is read or written."""
