"""Does a network fit its data: complexity of data, capacity of networks, and what follows from both (Debugger, 3)."""
