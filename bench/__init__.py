"""What the system costs beyond the model it runs: python -m bench [names]; docs/benchmarks.md says what each means."""
