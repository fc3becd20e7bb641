"""How raw files come from their upstreams: one module a transport, and the manners they share."""
