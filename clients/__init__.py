"""Relying parties: plain OpenID Connect applications that know nothing of the provider but its address."""
