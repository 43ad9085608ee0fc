"""The note of a visit: its fields, its page, its signature."""
