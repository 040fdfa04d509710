"""Exact numbers, money, time, refusals and canonical form: what every stage stands on."""
