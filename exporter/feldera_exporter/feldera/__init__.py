"""What Feldera is: its vocabulary, its wire format, and the client of its API."""
