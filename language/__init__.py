"""Language models: engines and servers that answer a question with text bound by a schema."""
