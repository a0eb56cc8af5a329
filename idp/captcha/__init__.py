"""The robot check: what tells people from programs where too many passwords were wrong."""
