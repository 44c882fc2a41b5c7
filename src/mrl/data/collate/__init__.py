"""Collate functions: from the samples of a batch to tensors."""
