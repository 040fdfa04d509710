"""The catalogue as the API keeps it: products, coupons and tax rates."""
