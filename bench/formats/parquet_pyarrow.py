"""Rows of the chat record, as Python's dicts, to a Parquet file in memory, on one core."""

import io
import json
import resource
import sys
import time

import pyarrow as pa
import pyarrow.parquet as pq

rows, rounds, size = (int(one) for one in sys.argv[1:])
pa.set_cpu_count(1)
pa.set_io_thread_count(1)
filler = "Hello, where is my order? " * 60_000


def text_of(n):
    head = f'{{"n":{n},"at":{1_764_240_000_000 + n},"lang":"{"en" if n % 4 == 0 else "zh"}","user":"user-{n % 1000}","text":"'
    return head + filler[: max(0, size - len(head) - 2)] + '"}'


records = [json.loads(text_of(n)) for n in range(rows)]
schema = pa.schema(
    [("n", pa.int64()), ("at", pa.timestamp("ms", tz="UTC")), ("lang", pa.string()), ("user", pa.string()), ("text", pa.string())]
)


def write():
    file = io.BytesIO()
    pq.write_table(pa.Table.from_pylist(records, schema=schema), file, compression="snappy", row_group_size=20_000)
    return file.tell()


write()
started, cpu = time.perf_counter(), time.process_time()
for _ in range(rounds):
    written = write()
seconds, cpu_seconds = time.perf_counter() - started, time.process_time() - cpu
print(json.dumps({"bytes": written, "longestMs": 0}))
print(
    json.dumps(
        {
            "records": rows * rounds,
            "seconds": seconds,
            "cpuSeconds": cpu_seconds,
            "maxRssMiB": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024,
        }
    )
)
