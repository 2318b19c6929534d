"""Write the parts of docs/reference/ that follow from the code; `make docs` calls it."""

from pathlib import Path

from senard.model.options import reference_table

PAGE = Path(__file__).parent / "reference/parameters.md"
BEGIN, END = "<!-- made by make docs: begin -->\n", "<!-- made by make docs: end -->\n"

if __name__ == "__main__":
    before, _, rest = PAGE.read_text(encoding="utf-8").partition(BEGIN)
    after = rest.partition(END)[2]
    PAGE.write_text(before + BEGIN + "\n" + reference_table() + "\n" + END + after, encoding="utf-8")
