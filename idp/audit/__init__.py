"""Every security event, append-only, sealed into a chain."""
