"""Writing the data set beside other work: in a child process, or in slices from this one."""
