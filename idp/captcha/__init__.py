"""The robot check: a box that is ticked, squares with pictures, or words that are spoken. It knows no account."""
