"""Fields: the parts of a sample, each computed from columns for many rows at once."""
