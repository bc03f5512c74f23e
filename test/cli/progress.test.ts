import { describe, expect, it } from '@jest/globals';
import { ProgressReader, progressLine } from '../../src/cli/progress.js';
import { Monitor } from '../../src/core/monitor.js';

describe('ProgressReader', () => {
  it('reads the metrics, summed over sources and sinks, with the rate since the reading before', () => {
    const monitor = new Monitor();
    const reader = new ProgressReader(monitor, 10_000);
    monitor.metric('rxflume_source_records_total', { group: 'a' }).add(1_000);
    monitor.metric('rxflume_source_records_total', { group: 'b' }).add(500);
    monitor.metric('rxflume_source_in_flight_records').set(7);
    monitor.metric('rxflume_source_acked_total').add(1_400);
    monitor.metric('rxflume_source_committed_offsets_total').add(1_300);
    monitor.metric('rxflume_source_backlog_records').set(12);
    monitor.metric('rxflume_sink_files_total').add(3);
    monitor.metric('rxflume_sink_open_files').set(2);
    monitor.metric('rxflume_sink_bytes_total').add(2_048);
    const first = {
      inFlight: 7,
      acked: 1_400,
      committed: 1_300,
      backlog: 12,
      files: 3,
      openFiles: 2,
      storedBytes: 2_048,
    };
    expect(reader.read(12_000)).toEqual({ ...first, records: 1_500, recordsPerSecond: 750 });
    expect(reader.read(13_000)).toEqual({ ...first, records: 1_500, recordsPerSecond: 0 });
    expect(reader.read(13_000).recordsPerSecond).toBe(0);
  });

  it('is zero at first of what every flow has, and unknown of what its parts may not measure', () => {
    const { committed, backlog, files, storedBytes, ...counted } = new ProgressReader(new Monitor(), 0).read(0);
    expect(counted).toEqual({ records: 0, recordsPerSecond: 0, inFlight: 0, acked: 0, openFiles: 0 });
    expect([committed, backlog, files, storedBytes]).toEqual([undefined, undefined, undefined, undefined]);
  });
});

describe('progressLine', () => {
  const progress = {
    records: 1_234_567,
    recordsPerSecond: 98_765,
    inFlight: 10,
    acked: 1_210_000,
    committed: 1_200_000,
    backlog: 34_567,
    files: 3,
    openFiles: 1,
    storedBytes: 5_000_000_000,
  };

  it('is one line of metrics that can be read', () => {
    expect(progressLine('chat', progress, 200)).toBe(
      'chat  98,765/s  1,234,567 in  10 in flight  1,200,000 committed  backlog 34,567  3 files (1 open)  4.7 GiB',
    );
    expect(progressLine('chat', { ...progress, storedBytes: 1_023 }, 200)).toMatch(/ {2}1023 B$/);
  });

  it('is cut to the width of the terminal, but never to nothing', () => {
    expect(progressLine('chat', progress, 40).length).toBe(39);
    expect(progressLine('chat', progress, 0).length).toBe(20);
  });
});
