"""The guardian's home: the menu of tools, and help."""
