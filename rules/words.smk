# The words room: filters are named (LaViSE, 3).
#
# Inputs:  activations, thresholds and top images of a probe; categories and a vocabulary; words of optimised pictures
# Outputs: results/words/{dataset}/{probe}/{vocabulary}/: explainer.pt, filter_names.*, filter_words.*, filter_claims.*, filter_causes.*,
#          scores.*, sanity.*, defects.*, known_answers.*, sheets/; of a probe of several layers depth.*
# Steps:   train the explainer and its null, explain, dissect (by masks, and by a CLIP model's embeddings), score, prove,
#          tabulate, render


rule words:
    """Words, scores and sheets of every explanation."""
    input:
        CHECKED if ASKED_PROBES else [],
        [words_of(entry, "filter_words.csv") for entry in EXPLANATIONS],
        [words_of(entry, "sheets") for entry in EXPLANATIONS],
        [words_of(entry, "scores.csv") for entry in EXPLANATIONS if entry["dataset"] in ANNOTATED],
        [words_of(entry, "scores.png") for entry in EXPLANATIONS if entry["dataset"] in ANNOTATED],
        [words_of(entry, "sanity.csv") for entry in EXPLANATIONS if entry["dataset"] in ANNOTATED],
        [words_of(entry, "training.png") for entry in EXPLANATIONS if entry["dataset"] in ANNOTATED],
        [words_of(entry, "known_answers.csv") for entry in EXPLANATIONS if has_known_answers(entry)],
        [words_of(entry, "defects.png") for entry in config["defects"]],
        ["results/words/{dataset}/{group}/{vocabulary}/depth.png".format(**each) for each in explained_groups()],


include: "words/explaining.smk"
include: "words/rivals.smk"
include: "words/scoring.smk"
include: "words/proofs.smk"
include: "words/depth.smk"
