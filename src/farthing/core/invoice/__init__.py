"""Invoices by difference: desired − issued − pending − waived, discounted, assembled and digested."""
