"""Who is told. One file, one sink."""
