"""One data set for several processes: one of them has the engine, the others are its clients."""
