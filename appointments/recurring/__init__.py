"""Visits that belong together: patterns, what is proposed for them, series, and the rest arranged anew."""
