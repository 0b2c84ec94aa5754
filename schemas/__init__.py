"""The vocabulary of the system: frozen pydantic models, one noun a file, shared by actors, storage and API."""
