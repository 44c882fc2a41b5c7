"""The vocabulary classes."""
