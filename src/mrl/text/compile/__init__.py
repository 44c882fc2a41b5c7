"""A segmentation and its tokens, compiled to one table; docs/tokenizing.md explains it."""
