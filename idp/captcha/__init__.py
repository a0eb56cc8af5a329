"""Whether a person or a program is at the other end: "I'm not a robot"."""
