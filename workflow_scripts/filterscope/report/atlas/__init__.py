"""The atlas: one folder in which a browser shows what a study found, without a server and without a network."""
