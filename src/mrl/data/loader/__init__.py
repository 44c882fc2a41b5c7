"""The loader: batches in the order of an `Order`, resumable at any batch."""
