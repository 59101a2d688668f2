"""Operators that charge a phone's balance; one file each, chosen by the number."""
