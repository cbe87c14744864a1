"""What a person sees, on wide and narrow terminals: rich's tables and bars, of the JSON of ``milestones.facts``."""
