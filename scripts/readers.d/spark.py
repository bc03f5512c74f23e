"""Reads Parquet files with Spark, and prints as JSON for each its rows, in the form of parquet.py, and for the first what is wrong: filters by the least
and the greatest value of a column whose result is not that of a full scan."""

import decimal
import json
import os
import struct
import sys

os.environ["TZ"] = "UTC"
# What runs for seconds is not worth optimizing.
os.environ["PYSPARK_SUBMIT_ARGS"] = "--driver-memory 512m --driver-java-options -XX:TieredStopAtLevel=1 pyspark-shell"

from functools import reduce

from pyspark.sql import Row, SparkSession
from pyspark.sql import functions as F
from pyspark.sql import types as T

spark = (
    SparkSession.builder.master("local[1]")
    .config("spark.ui.enabled", "false")
    .config("spark.sql.shuffle.partitions", "1")
    .config("spark.sql.codegen.wholeStage", "false")
    .config("spark.sql.adaptive.enabled", "false")
    .config("spark.sql.session.timeZone", "UTC")
    .config("spark.sql.parquet.datetimeRebaseModeInRead", "CORRECTED")
    .config("spark.driver.bindAddress", "127.0.0.1")
    .config("spark.driver.host", "127.0.0.1")
    .getOrCreate()
)
spark.sparkContext.setLogLevel("ERROR")
decimal.getcontext().prec = 50


def plain(value):
    """A value so that JSON holds it exactly; as parquet.py has it."""
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
    if isinstance(value, Row):
        return {key: plain(one) for key, one in value.asDict().items()}
    if isinstance(value, dict):
        return [[plain(key), plain(one)] for key, one in value.items()]
    if isinstance(value, list):
        return [plain(one) for one in value]
    raise TypeError(f"{type(value)} {value!r}")


def as_numbers(frame):
    """Its times as numbers, since Python's dates end in the years 1 and 9999."""
    return frame.select(
        [
            F.unix_micros(field.name).alias(field.name)
            if isinstance(field.dataType, T.TimestampType)
            else F.unix_date(field.name).alias(field.name)
            if isinstance(field.dataType, T.DateType)
            else F.col(field.name)
            for field in frame.schema
        ]
    )


def plain_of(value, kind):
    if value is None:
        return None
    if isinstance(kind, T.TimestampType):
        return f"us {value}"
    if isinstance(kind, T.DateType):
        return f"day {value}"
    # Small ones come with more digits than the type has.
    return plain(round(value, kind.scale) if isinstance(kind, T.DecimalType) else value)


def printed(row, fields):
    return {name: plain_of(value, kind) for (name, kind), value in zip(fields, row)}


def literal(value, kind):
    if isinstance(kind, T.TimestampType):
        return F.timestamp_micros(F.lit(value))
    if isinstance(kind, T.DateType):
        return F.date_from_unix_date(F.lit(value).cast("int"))
    return F.lit(value).cast(kind)


def rows_of(path):
    frame = spark.read.parquet(path)
    fields = [(field.name, field.dataType) for field in frame.schema]
    return fields, as_numbers(frame).collect()


def wrong_of(path, fields, rows):
    tried, counts = [], []
    for at, (name, kind) in enumerate(fields):
        if isinstance(kind, (T.ArrayType, T.MapType, T.StructType)):
            continue
        values = [bytes(row[at]) if isinstance(row[at], bytearray) else row[at] for row in rows]
        values = [value for value in values if value is not None and value == value]
        for value in {min(values), max(values)}:
            tried.append((name, value, sum(one == value for one in values)))
            # Each reads the file anew, so that row groups may be passed over.
            matching = spark.read.parquet(path).filter(F.col(name) == literal(value, kind))
            counts.append(matching.agg(F.count(F.lit(1)).alias("n")))
    filtered = [row.n for row in reduce(lambda all, one: all.unionAll(one), counts).collect()]
    return len(tried), [
        f"spark: {name} = {value}: {filtered} rows, {scanned} by a scan"
        for (name, value, scanned), filtered in zip(tried, filtered)
        if filtered != scanned
    ]


found = [rows_of(path) for path in sys.argv[1:]]
filters, wrong = wrong_of(sys.argv[1], *found[0])
json.dump({"rows": [[printed(row, fields) for row in rows] for fields, rows in found], "filters": filters, "wrong": wrong}, sys.stdout)
spark.stop()
