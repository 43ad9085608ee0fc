"""The waitlist: who waits for what, free times matched to them, and the offers they get."""
