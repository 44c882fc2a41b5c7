"""Settings of all tests: no deadline for an example, since the machine may be slow or compile a kernel during it."""

from hypothesis import settings

settings.register_profile("mrl", deadline=None)
settings.load_profile("mrl")
