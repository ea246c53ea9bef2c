# Helpers of the diagnosis room: measured sets, networks and pairs, and their results. No rules.

COMPLEXITY, CAPACITY, FIT = (config["diagnosis"][name] for name in ("complexity", "capacity", "fit"))
MEASURED_SETS = {entry["samples"]: entry for entry in COMPLEXITY["sets"]}
