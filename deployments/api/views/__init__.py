"""What a handler asks for in one call where one repository is not enough."""
