"""Due work: what is to be done at a time and not because of a request."""
