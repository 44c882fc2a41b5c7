"""What is written around or in place of a SMILES: CXSMILES tails, MOL blocks."""
