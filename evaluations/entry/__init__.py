"""The page on which an evaluation is filled in, and the rules of a draft."""
