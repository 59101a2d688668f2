"""Small HTTP services that speak the contracts of the payment gateways and voucher partners.

They stand outside the house: nothing here imports the shop, and the shop imports nothing
from here. A provider's contract is one package; what all of them need is in ``frame``.
"""
