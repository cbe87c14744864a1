"""Links from a task to the OMS console and to the page "Migration progress"."""
