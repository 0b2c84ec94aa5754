"""What the API's two specifications document, as data: a test holds the running system against each of it."""
