"""What the doctor tells of: one thing that was looked at, and how it is."""

from dataclasses import dataclass

OK, NOTE, PROBLEM = "ok", "note", "problem"


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that was looked at, and how it is."""

    level: str
    subject: str
    text: str
