"""Incidents, series and numbers as a person says them. Pure."""
