"""What every simulator needs: HTTP, faults, pages, a ledger that survives a restart."""
