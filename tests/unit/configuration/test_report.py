"""What Snakemake's report calls a filter's sheet."""

import pyarrow as pa
import pyarrow.parquet as pq

from configuration.report import sheet_label


def test_a_sheet_is_called_by_number_name_and_status(tmp_path):
    rows = [(3, "wheel", "proved"), (12, None, "unsupported"), (4, "a {b} c", "supported")]
    table = {
        name: list(values) for name, values in zip(("filter", "name", "status"), zip(*rows, strict=True), strict=True)
    }
    pq.write_table(pa.table(table), tmp_path / "names.parquet")
    labels = [sheet_label(str(tmp_path / "names.parquet"), number) for number, *_ in rows]
    assert labels == ["0003 wheel, proved", "0012 unsupported", "0004 a (b) c, supported"]
