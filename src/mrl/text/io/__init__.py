"""Vocabularies in files and as tokenizers of HuggingFace."""
