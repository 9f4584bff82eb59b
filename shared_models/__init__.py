"""The words both sides of OneHall speak: values, contracts and (server only) tables."""
