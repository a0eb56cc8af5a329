"""Everything on one machine, with demo families: for trying out, for tests, never for production."""
