"""An OpenID Connect identity provider for school districts."""
