"""Links from a task to the OMS console."""
