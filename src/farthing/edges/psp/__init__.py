"""Payment processors: adapters of the interface in `app/payments/processor.py`."""
