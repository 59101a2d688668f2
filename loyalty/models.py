"""Fulfilment orders of loyalty programmes; its tables come with that contract."""
