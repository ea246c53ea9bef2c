"""How hard a data set is: expected capacity, and the separability of its classes in several spaces."""
