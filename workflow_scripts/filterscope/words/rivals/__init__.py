"""Other ways to name filters, scored like ours: Network Dissection and CLIP-Dissect."""
