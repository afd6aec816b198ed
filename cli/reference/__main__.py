import sys

from cli.reference import REPOSITORY, pages

for path, text in pages().items():
    path.write_text(text, encoding="utf-8")
    sys.stdout.write(f"{path.relative_to(REPOSITORY)}\n")
