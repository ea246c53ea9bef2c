"""Is the named object the cause? Objects laid into photographs and taken out of them."""
