"""The log-in page and the steps that follow it."""
