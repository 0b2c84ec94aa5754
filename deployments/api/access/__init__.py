"""Who may ask what, and how often: keys, sessions, rate limits, and the table that every route stands in."""
