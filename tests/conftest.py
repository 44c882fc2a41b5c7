"""Settings of all tests.

Examples have no deadline: the machine may be slow, or compile a kernel meanwhile. Every run draws new ones, but with
``HYPOTHESIS_PROFILE=same``, as in .ci/run, a test has the same ones each time: a change is judged by what it changed.
"""

import os

from hypothesis import settings

settings.register_profile("new", deadline=None)
settings.register_profile("same", deadline=None, derandomize=True)
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "new"))
