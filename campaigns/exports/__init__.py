"""Contacts, results and calls as files that no spreadsheet takes for programs."""

from campaigns.exports.rows import header_of, pages_of
from campaigns.exports.writing import run_export

__all__ = ["header_of", "pages_of", "run_export"]
