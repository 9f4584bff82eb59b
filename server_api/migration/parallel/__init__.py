"""The parallel run (并行运行): an old system's bills beside ours, every difference with its reason."""
