"""Orders: which rows make up batch k of an epoch, as pure functions of their configuration.

An order holds global batches and is independent of ranks, workers and resuming, which are written once against the four
members of `Order`. All that is random is computed from a seed where it is needed; nothing is stored.
"""
