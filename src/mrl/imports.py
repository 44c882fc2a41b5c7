"""What the notebook's ``from mrl.imports import *`` gives. The only file that imports pandas."""

import os
import re
from functools import partial

import numpy as np
import pandas as pd

__all__ = ["np", "os", "partial", "pd", "re"]
