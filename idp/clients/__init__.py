"""Registered applications: metadata, secrets, one validator for every door that registers."""
