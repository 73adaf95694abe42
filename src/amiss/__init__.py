"""Amiss says, within an alert budget, when something is amiss, and why."""

__version__ = "0.1.0"
