"""Reads a Parquet file with pyarrow and DuckDB, and prints as JSON what each finds.

rows and schema: what pyarrow reads, in a plain form; duckdb: the same by DuckDB; wrong: for values of each column, the filters whose result is
not that of a full scan. With a folder it reads all files below it.
"""

import datetime
import decimal
import json
import struct
import sys
import uuid

import duckdb
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.dataset as ds
import pyarrow.parquet as pq

EPOCH = datetime.datetime(1970, 1, 1, tzinfo=datetime.timezone.utc)
MAX_VALUES = 12


def plain(value):
    """A value so that JSON holds it exactly."""
    if value is None or isinstance(value, (bool, str)):
        return value
    if isinstance(value, int):
        return f"int {value}"
    if isinstance(value, float):
        return "float nan" if value != value else "float " + struct.pack(">d", value).hex()
    if isinstance(value, (bytes, bytearray)):
        return "bytes " + bytes(value).hex()
    if isinstance(value, decimal.Decimal):
        return f"decimal {value:f}"
    if isinstance(value, uuid.UUID):
        return f"uuid {value}"
    if isinstance(value, datetime.datetime):
        return f"us {(value - EPOCH) // datetime.timedelta(microseconds=1)}"
    if isinstance(value, datetime.date):
        return f"day {(value - EPOCH.date()).days}"
    if isinstance(value, dict):
        return {key: plain(one) for key, one in value.items()}
    if isinstance(value, tuple):
        return [plain(one) for one in value]
    if isinstance(value, list):
        return [plain(one) for one in value]
    raise TypeError(f"{type(value)} {value!r}")


def rows_of(table):
    """Its rows; times as numbers, since Python's dates end in the years 1 and 9999."""
    columns = []
    for name in table.column_names:
        column = table[name]
        if pa.types.is_timestamp(column.type):
            unit = 1_000 if column.type.unit == "ms" else 1
            numbers = column.cast(pa.int64()).to_pylist()
            columns.append([None if n is None else f"us {n * unit}" for n in numbers])
        elif pa.types.is_date(column.type):
            columns.append([None if n is None else f"day {n}" for n in column.cast(pa.int32()).to_pylist()])
        else:
            columns.append([plain(value) for value in column.to_pylist()])
    return [dict(zip(table.column_names, row)) for row in zip(*columns)]


def scalars(table):
    """The columns that a filter can compare, by name."""
    for field in table.schema:
        if not pa.types.is_nested(field.type):
            yield field.name


def values_to_try(column):
    """The least, the greatest, and some between."""
    distinct = pc.unique(column.drop_null().combine_chunks() if column.null_count else column.combine_chunks())
    if isinstance(distinct, pa.ExtensionArray):
        distinct = distinct.storage
    if len(distinct) == 0:
        return []
    if not pa.types.is_boolean(distinct.type) and not pa.types.is_fixed_size_binary(distinct.type):
        distinct = distinct.take(pc.sort_indices(distinct))
    picked = sorted({round(n * (len(distinct) - 1) / (MAX_VALUES - 1)) for n in range(MAX_VALUES)})
    return [distinct[n] for n in picked]


def wrong_by_pyarrow(path, table):
    wrong = []
    dataset = ds.dataset(path)
    for name in scalars(table):
        column = table[name]
        if isinstance(column.type, pa.BaseExtensionType):
            continue
        for value in values_to_try(column):
            for compare, operate in [("=", pc.equal), (">=", pc.greater_equal), ("<=", pc.less_equal)]:
                filtered = dataset.to_table(filter=operate(ds.field(name), value)).num_rows
                scanned = pc.sum(operate(column, value)).as_py() or 0
                if filtered != scanned:
                    wrong.append(f"pyarrow: {name} {compare} {value}: {filtered} rows, {scanned} by a scan")
    return wrong


def by_duckdb(path):
    con = duckdb.connect()
    con.execute("set TimeZone = 'UTC'")
    con.execute("create table scanned as select * from read_parquet(?)", [path])
    wrong = []
    columns = con.execute("describe scanned").fetchall()
    for name, kind, *_ in columns:
        if kind.endswith("[]") or kind.startswith(("STRUCT", "MAP", "JSON")):
            continue
        # As text, and cast: a literal is what the statistics are compared with.
        tried = con.execute(
            f'select distinct "{name}"::varchar v, "{name}" from scanned where "{name}" is not null order by 2'
        ).fetchall() if kind != "BLOB" else []
        picked = sorted({round(n * (len(tried) - 1) / (MAX_VALUES - 1)) for n in range(MAX_VALUES)}) if tried else []
        for n in picked:
            text = tried[n][0].replace("'", "''")
            for compare in ["=", ">=", "<=", ">", "<"]:
                condition = f"\"{name}\" {compare} '{text}'::{kind}"
                filtered = con.execute(f"select count(*) from read_parquet(?) where {condition}", [path]).fetchone()[0]
                scanned = con.execute(f"select count(*) from scanned where {condition}").fetchone()[0]
                if filtered != scanned:
                    wrong.append(f"duckdb: {name} {compare} {text}: {filtered} rows, {scanned} by a scan")
        for test in ["is null", "is not null"]:
            filtered = con.execute(f'select count(*) from read_parquet(?) where "{name}" {test}', [path]).fetchone()[0]
            scanned = con.execute(f'select count(*) from scanned where "{name}" {test}').fetchone()[0]
            if filtered != scanned:
                wrong.append(f"duckdb: {name} {test}: {filtered} rows, {scanned} by a scan")
    return wrong, rows_of(con.execute("select * from scanned").to_arrow_table()), {name: kind for name, kind, *_ in columns}


def main(path):
    table = pq.read_table(path)
    wrong, rows, kinds = by_duckdb(path)
    metadata = pq.ParquetFile(path).metadata
    json.dump(
        {
            "rows": rows_of(table),
            "schema": {field.name: str(field.type) for field in table.schema},
            "metadata": {key.decode(): value.decode() for key, value in (metadata.metadata or {}).items() if key.startswith(b"rxflume")},
            "rowGroups": [metadata.row_group(n).num_rows for n in range(metadata.num_row_groups)],
            "duckdb": {"rows": rows, "schema": kinds},
            "wrong": wrong_by_pyarrow(path, table) + wrong,
        },
        sys.stdout,
    )


main(sys.argv[1])
