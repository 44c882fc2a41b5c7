"""The names that the notebook imports by ``from mrl.imports import *``. The only module that imports pandas."""

import os
import re
from functools import partial

import numpy as np
import pandas as pd

__all__ = ["np", "os", "partial", "pd", "re"]
