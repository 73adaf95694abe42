"""Text as bytes: lines, hashes of words, and what stands in a line. Compiled, and pure."""
