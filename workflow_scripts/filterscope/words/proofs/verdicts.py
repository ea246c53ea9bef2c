"""What a proof says of a claim; apart from the proof, whose tests take long to load."""

CAUSED, NOT_CAUSED, UNTOLD = "caused", "not_caused", "cannot_be_told"
