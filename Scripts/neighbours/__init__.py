"""Python neighbours of nacre: its checkpoint file, and what goes in and comes out of it."""
