"""The desk of a teller: a Qt client that speaks to the server over HTTPS and to nothing else."""
