"""Events and their log: immutable usage facts, their identity, and what cancels or replaces them."""
