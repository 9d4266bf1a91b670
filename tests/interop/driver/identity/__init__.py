"""docs/identity.md once more, in Python: written from the page, with nothing in common with the crate but the vectors.

Keys and signatures are checked here with the curve's arithmetic written out; only the equation of a signature is left to
OpenSSL. Nothing is fast, and nothing is secret.
"""
