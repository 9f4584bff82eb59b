"""What every face shares: problems, tokens, who is calling, the outermost shell, figures about itself."""
