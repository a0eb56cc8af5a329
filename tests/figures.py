"""What /metrics says, read as a program does."""

import re


def value_of(text: str, name: str) -> float:
    """Return the value of one line, by its name and labels as they are written; 0 where there is none yet."""
    found = re.search(rf"^{re.escape(name)} (\S+)$", text, re.MULTILINE)
    return float(found[1]) if found else 0.0
