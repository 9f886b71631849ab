"""Commands said and their replies shown, whoever asked for them."""
