"""What the outside sees: routes that parse, permit and call one service function."""
