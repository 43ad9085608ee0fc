"""Red flags, what they forbid, and incidents."""
