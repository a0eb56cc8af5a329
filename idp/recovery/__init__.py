"""What a family needs to get back in: the security email, and the links and codes that are mailed to it."""
