"""Turns the JSON of ``milestones.facts`` into tables and bars (of rich), for wide and narrow terminals."""
