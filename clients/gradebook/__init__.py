"""The gradebook: marks, attendance and timetable of a guardian's children."""
