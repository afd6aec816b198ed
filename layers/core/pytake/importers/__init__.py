"""Importers: exports of other platforms become flow documents. Pure: bytes in, documents and a report of losses out.

Only the command and the REST API import this package, so that no other function pays for it when it starts.
"""

from pytake.importers.importing import Import, format_names, import_export, import_flows
from pytake.importers.report import ImportRefusedError, Loss

__all__ = ["Import", "ImportRefusedError", "Loss", "format_names", "import_export", "import_flows"]
