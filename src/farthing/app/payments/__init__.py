"""Payments as the API keeps them: payment methods, payment and set-up intents, charges, refunds, the balance; and who moves the money."""
