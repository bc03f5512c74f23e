import type { ConsoleHistory, ConsoleSnapshot, FlowView, PartView, StreamView } from '../../src/console/contract.js';
import type { DeadLetterList } from '../../src/console/dead-letter-contract.js';

const START = 1_780_000_000_000;

/** A Kafka flow with a slow sink, as it is `tick` quarters of a second after its start. */
export function chatFlow(tick = 0, partitions = 8, operators = 3): FlowView {
  const middle = Array.from({ length: operators }, (_, index) => operator(index, tick));
  const parts: PartView[] = [
    {
      kind: 'source',
      name: 'source',
      about: 'topics chat, orders at k1:9092, k2:9092 as lake',
      inFlight: 18_204 + (tick % 7) * 311,
      perSecond: 12_480 + (tick % 5) * 37,
      latencyMs: { p50: 812, p95: 2_048, p99: 4_096 },
    },
    ...middle,
    {
      kind: 'sink',
      name: `${operators + 1} files`,
      about: 'hdfs://namenode.example.internal:8020/lake/chat by {yyyy}/{MM}/{dd}/{HH}, JSON lines, gzip',
      inFlight: 17_900,
      waitingSeconds: 12 + tick / 4,
      perSecond: 0,
      failures: 3,
      latencyMs: { p50: 64, p95: 512, p99: 8_192 },
    },
  ];
  return {
    name: 'chat-to-lake',
    state: 'running',
    guarantee: 'exactly once',
    why: 'The offsets of each file are in its ledger, and every operator keeps the order of its records.',
    warnings: [],
    ageSeconds: 14.2 + tick / 4,
    parts,
    edges: parts.slice(1).map((_, index) => ({
      from: index,
      to: index + 1,
      perSecond: index === operators ? 4_130 : 12_480 + (tick % 5) * 37,
      bytesPerSecond: index === operators ? 2_310_144 : 5_242_880,
      tapped: false,
    })),
    culprit: {
      part: operators + 1,
      because: `it has settled nothing for ${12 + Math.floor(tick / 4)} s, and 17,900 records wait for it.`,
    },
    streams: Array.from({ length: partitions }, (_, index) => stream(index, tick)),
    files: Array.from({ length: Math.min(100, partitions * 4) }, (_, index) => ({
      path: `/lake/chat/2026/11/27/20/chat-${index % partitions}-${1_000 + Math.floor(index / partitions)}.jsonl.gz`,
      stream: `kafka:chat/${index % partitions}`,
      firstOffset: 1_000_000 - (Math.floor(index / partitions) + 1) * 5_000,
      lastOffset: 1_000_000 - Math.floor(index / partitions) * 5_000 - 1,
      values: 5_000,
      bytes: 1_240_000 + index * 997,
      atMs: START - index * 15_000,
    })),
    deadLetters: { RXF_DECODE_SYNTAX: 41, RXF_SINK_FORMAT: 3 },
    deadLettersAt: '/lake/chat-bad on webhdfs namenode.example.internal:9870',
    commands: ['pause', 'drain', 'roll'],
  };
}

function operator(index: number, tick: number): PartView {
  const names = ['decode', 'filterValue', 'mapValueAsync', 'dedupeBy', 'routeBy'];
  return {
    kind: 'operator',
    name: `${index + 1} ${names[index % names.length]}`,
    about: index === 0 ? 'JSON' : index === 2 ? 'concurrency 16' : '',
    ...(index === 2 ? { inFlight: 16, latencyMs: { p50: 8, p95: 32, p99: 64 } } : {}),
    perSecond: 12_480 + (tick % 5) * 37,
    failures: index === 0 ? 41 : 0,
  };
}

function stream(index: number, tick: number): StreamView {
  const committed = 1_000_000 + tick * 20;
  const read = committed + 9_000 + index * 150;
  // One that nothing is known of yet, as after an assignment.
  if (index === 7) return { stream: `kafka:chat/${index}`, paused: false };
  return {
    stream: `kafka:chat/${index}`,
    logStart: 120_000,
    logEnd: read + (index === 3 ? 48_000 : 1_200) + tick * 5,
    committed,
    acked: committed + 2_500,
    released: committed + 6_000,
    read,
    backlog: index === 3 ? 48_000 : 1_200,
    lag: read + (index === 3 ? 48_000 : 1_200) - committed,
    ageSeconds: index === 5 ? 0 : 14.2 + index,
    headroomSeconds: index === 3 ? 12_000 : 604_800,
    paused: index === 4,
  };
}

export function quietFlow(name = 'orders-to-kafka'): FlowView {
  return {
    name,
    state: 'paused',
    guarantee: 'at least once',
    why: 'The Kafka sink is not transactional, so a crash may write its last batch again.',
    warnings: ['The window holds 10,000 records, fewer than a file of 5 minutes at this rate.'],
    parts: [
      { kind: 'source', name: 'source', about: 'topic orders at k1:9092', inFlight: 0, perSecond: 0 },
      { kind: 'sink', name: '1 kafka', about: 'topic orders-clean', inFlight: 0, perSecond: 0, failures: 0 },
    ],
    edges: [{ from: 0, to: 1, perSecond: 0, tapped: false }],
    streams: [],
    files: [],
    deadLetters: {},
    commands: ['resume', 'drain'],
  };
}

export function snapshotOf(flows: readonly FlowView[], more: Partial<ConsoleSnapshot> = {}): ConsoleSnapshot {
  return {
    atMs: START,
    process: 'collector-7d9f-x2x1/1',
    version: '0.1.0',
    readOnly: false,
    flows,
    watchesAlerts: true,
    alerts: [
      {
        name: 'no progress',
        flow: 'chat-to-lake',
        phase: 'firing',
        since: START - 95_000,
        message: 'Nothing was acked for 95 s while 17,900 records wait. Look at the sink files.',
      },
      {
        name: 'age',
        flow: 'orders-to-kafka',
        phase: 'resolved',
        since: START - 3_600_000,
        message: 'The oldest record is 2 s old again.',
      },
    ],
    peers: [
      {
        process: 'collector-7d9f-b8k4/1',
        url: 'http://10.0.3.18:9465/',
        ok: true,
        flows: [{ ...quietFlow('chat-to-lake'), state: 'running', commands: [] }],
      },
      {
        process: 'collector-7d9f-q0zz/1',
        url: 'http://10.0.3.19:9465/',
        ok: false,
        message: 'connect ECONNREFUSED 10.0.3.19:9465',
        flows: [],
      },
    ],
    ...more,
  };
}

/** 15 minutes with a gap, in which nothing was known. */
export function historyOf(...flows: readonly string[]): ConsoleHistory {
  const points = Array.from({ length: 180 }, (_, index) => index);
  const wave = (base: number, swing: number) =>
    points.map((one) =>
      one > 60 && one < 66 ? null : Math.round(base + swing * Math.sin(one / 9) + (one > 140 ? -base * 0.6 : 0)),
    );
  const series = {
    perSecond: wave(12_000, 2_000),
    bytesPerSecond: wave(5_000_000, 900_000),
    ageSeconds: points.map((one) => (one > 140 ? (one - 140) * 5 : 2)),
    backlog: wave(900, 300),
    inFlight: points.map(() => 0),
  };
  const bucket = (base: number) =>
    points.map((one) => (one > 60 && one < 66 ? null : base * (one > 140 ? 8 : 1 + (one % 2))));
  const latencies = { settleP50: bucket(0.25), settleP99: bucket(1), ageP50: bucket(0.5), ageP99: bucket(2) };
  return {
    seconds: points.map((one) => START / 1_000 - 900 + one * 5),
    flows: Object.fromEntries(flows.map((name) => [name, series])),
    latencies: Object.fromEntries(flows.map((name) => [name, [{ source: 'topic chat', ...latencies }]])),
  };
}

/** The dead letters of `chatFlow`, where they are stored. */
export function lettersOf(): DeadLetterList {
  const letter = (n: number, code: string, message: string, value: string) => ({
    place: `dt=2026-11-27/kafka-chat-3+${1_000 + n}+${1_040}.jsonl.gz#${n}`,
    ...{ state: 'waiting' as const, code, message, stream: 'kafka:chat/3', offset: 1_000 + n, operator: '1 decode' },
    ...{ attempt: 1, setAsideAt: '2026-11-27T20:15:01.000Z', key: 'customer-7', value, encoding: 'utf8' as const },
    ...{ cut: false, redacted: n === 2 },
  });
  return {
    where: '/lake/chat-bad on webhdfs namenode.example.internal:9870',
    counts: { waiting: 44, replaying: 0, replayed: 1_200, dropped: 3, duplicate: 0 },
    groups: [
      ...[{ code: 'RXF_DECODE_SYNTAX', operator: '1 decode', waiting: 41, total: 1_244 }],
      ...[{ code: 'RXF_DECODE_SHAPE', operator: '1 decode', waiting: 3, total: 3 }],
    ].map((group) => ({ ...group, first: '2026-11-20T08:00:00.000Z', last: '2026-11-27T20:15:01.000Z' })),
    letters: [
      letter(1, 'RXF_DECODE_SHAPE', 'Expected n to be number, got "12".', '{"n":"12","text":"Where is my order?"}'),
      letter(2, 'RXF_DECODE_SHAPE', 'Expected n to be number, got null.', '{"n":null,"token":"[redacted]"}'),
      letter(3, 'RXF_DECODE_SYNTAX', 'The value is not JSON.', '<script>document.title = "taken"</script>'),
    ],
    unreadable: 0,
    cut: false,
  };
}
