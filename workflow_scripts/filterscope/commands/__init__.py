"""What `filterscope` does at the command line, a module a command; heavy imports stand where they are used."""


class CommandError(ValueError):
    """What was asked for cannot be done: says what was found and what would be right."""
