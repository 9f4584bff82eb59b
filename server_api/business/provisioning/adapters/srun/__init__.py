"""Srun broadband manager, northbound REST."""
