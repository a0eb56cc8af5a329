"""The district's console."""
