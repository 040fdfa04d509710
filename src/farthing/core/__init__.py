"""The billing rules: pure functions over frozen values. No I/O, clock, randomness or floats; start reading at flow.py."""
