"""What the outside sees: routes that parse, permit and make one service call; joined reads; no writes of their own."""
