"""What a person sees: rich's tables and bars, made from the JSON of ``facts``, for wide and for narrow terminals."""
