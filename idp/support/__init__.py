"""The Portal Support Form, the support team's queue, and what the team does for a family."""
