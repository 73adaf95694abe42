"""Sigma rules: read from YAML, compiled once, matched over the distinct values of fields."""
