"""How strange is it? One file, one detector."""
