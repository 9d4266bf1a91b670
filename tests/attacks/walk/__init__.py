"""A random walk of clients of both dialects beside a model of what docs/protocol.md promises them."""
