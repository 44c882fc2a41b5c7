"""Commands about models: train, sample, fit, predict, and the demo of them all."""
