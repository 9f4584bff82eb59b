"""Bills: from prices, events and rated usage to frozen bills whose every line opens to what it was made of."""
