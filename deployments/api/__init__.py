"""The REST API and the live sockets: a function from services to an application."""
