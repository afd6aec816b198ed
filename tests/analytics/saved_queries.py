"""The saved queries of the template and the parameters that they take besides the organization and the days."""

from pathlib import Path

from pytake import analytics

FOLDER = Path(analytics.__file__).parent / "sql" / "saved"

QUERIES = {path.stem: path.read_text() for path in sorted(FOLDER.glob("*.sql"))}

OWN = {
    "funnel": ["'shop'", "'start,menu,rate,bye'"],
    "drop_off": ["'shop'"],
    "response_times": ["'shop'"],
    "first_contact_resolution": ["'shop'", "24"],
    "ab_comparison": ["'shop'", "'test'", "'rate'"],
}
