"""Neural networks in plain numpy: layers with their gradients, training, what goes in and out."""
