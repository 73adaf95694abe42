"""How lines are written: from text to named fields. One file, one way."""
