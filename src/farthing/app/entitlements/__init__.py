"""What customers may use, by the products that they subscribe to."""
