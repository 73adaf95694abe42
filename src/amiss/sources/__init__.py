"""Where records come from. One file, one source."""
