"""Settings: what guardians can see and change of their own account."""
