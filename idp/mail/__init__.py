"""Mail: written in the transaction of what it tells, delivered by the worker."""
