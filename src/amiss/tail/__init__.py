"""Files that grow, are renamed, cut, copied and packed: each of their lines, once."""
