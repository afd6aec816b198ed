"""MiniStack writes a key when it is imported: not into the folder it would choose, but into one of these tests."""

import os
import tempfile

_state = tempfile.TemporaryDirectory(prefix="pytake-tests-")
os.environ["STATE_DIR"] = _state.name
