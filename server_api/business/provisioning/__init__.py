"""What the network is told, and how it is known that it was done."""
