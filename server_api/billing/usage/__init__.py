"""Usage: files registered by content, decoded, checked, made unique; what is bad is set aside with its reason."""
