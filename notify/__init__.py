"""The channels an alert leaves by: e-mail, webhook (behind the address guard) and push, and how it is rendered."""
