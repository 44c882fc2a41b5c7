"""For all tests: the machine may be slow, or compile a kernel in the middle of an example."""

from hypothesis import settings

settings.register_profile("mrl", deadline=None)
settings.load_profile("mrl")
