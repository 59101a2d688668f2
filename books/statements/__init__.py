"""Reading what others say they did: settlement files of gateways, statements of partners."""
