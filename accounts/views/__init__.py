"""The doors to an account (contract page bdvoucher, section 2)."""
