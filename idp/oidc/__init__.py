"""The protocol: endpoints, grants, interaction, claims, keys, log-out."""
