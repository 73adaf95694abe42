"""From scores to incidents: expect, calibrate, fuse, budget, group, explain. Pure."""
