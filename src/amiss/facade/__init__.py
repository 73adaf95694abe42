"""A Python class with the names of a widely used kind of script, over the engine of Amiss."""
