"""Work off the GUI thread, and the journal of acts and plans not yet confirmed."""
