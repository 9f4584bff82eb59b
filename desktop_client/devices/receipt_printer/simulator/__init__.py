"""A virtual ESC/POS printer: a real TCP server that turns bytes into text, a command log and a picture."""
