"""Labelled or recorded data in, figures and scores out: the drivers that are not live."""
