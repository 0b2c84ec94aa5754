"""PostgreSQL and Redis: one repository an aggregate; SQL stands only here."""
