"""Browser sessions, the steps still open before one, the applications that took part, notices owed to them."""
