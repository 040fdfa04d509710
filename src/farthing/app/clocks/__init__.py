"""Test clocks: time that stands until it is moved on, for customers that live by it."""
