"""People: usernames, passwords, roles."""
