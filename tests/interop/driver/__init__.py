"""What the tests drive: the server's process, its clients, and the programs that stand beside it."""
