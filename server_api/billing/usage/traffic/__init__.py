"""Traffic of the exchanges: who sent and took how much over which trunk group, and what operators owe for it."""
