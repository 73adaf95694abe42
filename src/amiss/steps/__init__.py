"""The smaller steps that a pipeline is made of, from frames to findings. Pure."""
