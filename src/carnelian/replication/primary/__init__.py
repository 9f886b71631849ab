"""A node as a primary: who follows it, how they get the data set, and what they have confirmed."""
