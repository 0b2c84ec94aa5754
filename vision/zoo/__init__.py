"""The zoo's models on disk and in memory: where the weights are, which program runs them, what they cost."""
