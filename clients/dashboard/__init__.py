"""The parent dashboard of a school: calendar, lunch and news; one application, three schools."""
