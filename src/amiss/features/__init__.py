"""How records become numbers. One file, one way."""
