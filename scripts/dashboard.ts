// node --import tsx scripts/dashboard.ts && npm run format: writes deploy/grafana/rxflume.json. A test holds the two equal.
import { writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

const WIDTH = 24;
const HEIGHT = 8;
// biome-ignore lint/suspicious/noTemplateCurlyInString: a variable of Grafana
const SOURCE = { type: 'prometheus', uid: '${datasource}' };

/** Which series the board is about. */
const FLOW = 'job=~"$job", flow=~"$flow"';
const PROCESS = 'job=~"$job"';
const rate = (metric: string, by: string, where = FLOW) =>
  `sum by (${by}) (rate(${metric}{${where}}[$__rate_interval]))`;
const quantile = (share: number, metric: string, by: string, where = FLOW) =>
  `histogram_quantile(${share}, ${rate(`${metric}_bucket`, `le, ${by}`, where)})`;

type Query = readonly [expression: string, legend: string];

interface Drawn {
  readonly title: string;
  readonly description?: string;
  readonly type?: 'timeseries' | 'stat';
  /** One of Grafana's, such as `cps`, counts a second. */
  readonly unit: string;
  readonly queries: readonly Query[];
}

const ROWS: readonly { readonly title: string; readonly panels: readonly Drawn[] }[] = [
  {
    title: 'How far behind',
    panels: [
      {
        title: 'Data age',
        description:
          'How old the oldest record is that is not stored. By the recording rule of deploy/prometheus, so it grows on when a process is killed.',
        unit: 's',
        queries: [
          [`max by (flow) (rxflume:age_seconds{${FLOW}})`, '{{flow}}'],
          ['vector($age_limit)', 'limit'],
        ],
      },
      {
        title: 'Retention headroom',
        description: 'Until Kafka may delete the oldest record that is not stored.',
        unit: 's',
        queries: [[`min by (flow) (rxflume_source_retention_headroom_seconds{${FLOW}})`, '{{flow}}']],
      },
      {
        title: 'State, in processes',
        description: 'How many processes have a flow in which state.',
        type: 'stat',
        unit: 'none',
        queries: [[`sum by (flow, state) (rxflume_flow_state{${FLOW}} == 1)`, '{{flow}}: {{state}}']],
      },
      {
        title: 'No progress while there is a backlog',
        description: 'Above 0 nothing moves though there is something to read: /livez says where it waits.',
        unit: 's',
        queries: [[`max by (flow, instance) (rxflume_source_no_progress_seconds{${FLOW}})`, '{{flow}} {{instance}}']],
      },
    ],
  },
  {
    title: 'Rates, errors, durations',
    panels: [
      {
        title: 'Records received',
        unit: 'cps',
        queries: [[rate('rxflume_source_records_total', 'flow, source, name'), '{{flow}}: {{source}} {{name}}']],
      },
      {
        title: 'Values stored or sent',
        unit: 'cps',
        queries: [[rate('rxflume_sink_values_total', 'flow, sink, to'), '{{flow}}: {{sink}} {{to}}']],
      },
      {
        title: 'Values passed on by operators',
        unit: 'cps',
        queries: [[rate('rxflume_operator_emitted_total', 'flow, operator'), '{{flow}}: {{operator}}']],
      },
      {
        title: 'Nacks, failures, dead letters',
        unit: 'cps',
        queries: [
          [rate('rxflume_source_nacked_total', 'flow, source'), '{{flow}}: nacked'],
          [`${rate('rxflume_sink_failures_total', 'flow, sink')} or vector(0)`, '{{flow}}: failures of {{sink}}'],
          [`${rate('rxflume_dead_letters_total', 'flow, reason')} or vector(0)`, '{{flow}}: set aside, {{reason}}'],
        ],
      },
      {
        title: 'Age of a record when it is acked',
        unit: 's',
        queries: [0.5, 0.99].map(
          (share): Query => [quantile(share, 'rxflume_source_age_seconds', 'flow'), `{{flow}} p${share * 100}`],
        ),
      },
      {
        title: 'From passing a record on to its ack',
        unit: 's',
        queries: [0.5, 0.99].map(
          (share): Query => [
            quantile(share, 'rxflume_source_settle_duration_seconds', 'flow'),
            `{{flow}} p${share * 100}`,
          ],
        ),
      },
      {
        title: 'Writes and commits of sinks, p99',
        unit: 's',
        queries: ['write', 'commit'].map(
          (call): Query => [
            quantile(0.99, `rxflume_sink_${call}_duration_seconds`, 'flow, sink'),
            `{{flow}}: ${call} of {{sink}}`,
          ],
        ),
      },
      {
        title: 'Bytes',
        unit: 'Bps',
        queries: [
          [rate('rxflume_source_bytes_total', 'flow'), '{{flow}} in'],
          [rate('rxflume_sink_bytes_total', 'flow, sink'), '{{flow}} out: {{sink}}'],
        ],
      },
    ],
  },
  {
    title: 'Saturation',
    panels: [
      {
        title: 'Event loop delay',
        unit: 's',
        queries: [0.5, 0.99].map(
          (share): Query => [
            quantile(share, 'rxflume_event_loop_delay_seconds', 'instance', PROCESS),
            `{{instance}} p${share * 100}`,
          ],
        ),
      },
      {
        title: 'Window closed',
        description: 'The share of the time in which the source waited for the sink.',
        unit: 'percentunit',
        queries: [[rate('rxflume_source_window_closed_seconds_total', 'flow, instance'), '{{flow}} {{instance}}']],
      },
      {
        title: 'Bytes in flight',
        unit: 'bytes',
        queries: [[`sum by (flow, instance) (rxflume_source_in_flight_bytes{${FLOW}})`, '{{flow}} {{instance}}']],
      },
      {
        title: 'Memory',
        unit: 'bytes',
        queries: [
          [`max by (instance) (rxflume_process_heap_used_bytes{${PROCESS}})`, '{{instance}} heap'],
          [`max by (instance) (rxflume_process_resident_memory_bytes{${PROCESS}})`, '{{instance}} resident'],
        ],
      },
      {
        title: 'Open files',
        unit: 'none',
        queries: [[`sum by (flow, instance) (rxflume_sink_open_files{${FLOW}})`, '{{flow}} {{instance}}']],
      },
      {
        title: 'Oldest wait, in calls and in operators',
        description: 'What a stall waits in.',
        unit: 's',
        queries: [
          [
            `max by (flow, sink, call) (rxflume_sink_oldest_call_seconds{${FLOW}}) or vector(0)`,
            '{{flow}}: {{call}} of {{sink}}',
          ],
          [
            `max by (flow, operator) (rxflume_operator_waiting_seconds{${FLOW}}) or vector(0)`,
            '{{flow}}: {{operator}}',
          ],
        ],
      },
    ],
  },
  {
    title: 'Partitions',
    panels: [
      {
        title: 'Backlog',
        description: 'What the log has and the flow has not read.',
        unit: 'none',
        queries: [[`sum by (flow, stream) (rxflume_source_backlog_records{${FLOW}})`, '{{stream}}']],
      },
      {
        title: 'Committed lag',
        description: 'It rises until files are rolled, and falls: do not alert or scale on it.',
        unit: 'none',
        queries: [[`sum by (flow, stream) (rxflume_source_committed_lag_records{${FLOW}})`, '{{stream}}']],
      },
      {
        title: 'Commits',
        unit: 'cps',
        queries: [
          [rate('rxflume_source_commits_total', 'flow'), '{{flow}}: commits of offsets'],
          [rate('rxflume_sink_files_total', 'flow'), '{{flow}}: files published'],
        ],
      },
      {
        title: 'Rebalances and reconnects',
        unit: 'none',
        queries: [
          [
            `sum by (flow) (increase(rxflume_source_rebalances_total{${FLOW}}[$__rate_interval]))`,
            '{{flow}}: rebalances',
          ],
          [
            `sum by (flow) (increase(rxflume_source_reconnects_total{${FLOW}}[$__rate_interval]))`,
            '{{flow}}: reconnects',
          ],
        ],
      },
      {
        title: 'Size of a file',
        unit: 'bytes',
        queries: [
          [
            `${rate('rxflume_sink_bytes_total', 'flow, to')} / ${rate('rxflume_sink_files_total', 'flow, to')} > 0`,
            '{{flow}}: {{to}}',
          ],
        ],
      },
      {
        title: 'Partitions assigned, held back',
        unit: 'none',
        queries: [
          [`sum by (flow, instance) (rxflume_source_assigned_partitions{${FLOW}})`, '{{flow}} {{instance}}: assigned'],
          [
            `sum by (flow, instance) (rxflume_source_held_back_partitions{${FLOW}})`,
            '{{flow}} {{instance}}: held back',
          ],
        ],
      },
    ],
  },
];

interface Panel {
  readonly id: number;
  readonly type: string;
  readonly title: string;
  readonly gridPos: { readonly x: number; readonly y: number; readonly w: number; readonly h: number };
  readonly targets?: readonly { readonly refId: string; readonly expr: string; readonly legendFormat: string }[];
  readonly [other: string]: unknown;
}

function panelOf(
  { title, description = '', type = 'timeseries', unit, queries }: Drawn,
  id: number,
  gridPos: Panel['gridPos'],
): Panel {
  const look =
    type === 'stat'
      ? {
          colorMode: 'value',
          graphMode: 'none',
          reduceOptions: { calcs: ['lastNotNull'], fields: '', values: false },
          textMode: 'value_and_name',
          justifyMode: 'auto',
          orientation: 'auto',
          wideLayout: true,
          showPercentChange: false,
          percentChangeColorMode: 'standard',
        }
      : {
          legend: { calcs: [], displayMode: 'list', placement: 'bottom', showLegend: true },
          tooltip: { mode: 'multi', sort: 'desc' },
        };
  return {
    id,
    type,
    title,
    description,
    datasource: SOURCE,
    gridPos,
    fieldConfig: { defaults: { unit, min: 0, custom: {} }, overrides: [] },
    options: look,
    targets: queries.map(([expr, legendFormat], at) => ({
      refId: String.fromCharCode(65 + at),
      datasource: SOURCE,
      expr,
      legendFormat,
      instant: type === 'stat',
      range: type !== 'stat',
    })),
  };
}

/** The panels of all rows, each below the one before it. */
function panels(): Panel[] {
  const all: Panel[] = [];
  let y = 0;
  for (const { title, panels: own } of ROWS) {
    all.push({
      id: all.length + 1,
      type: 'row',
      title,
      collapsed: false,
      gridPos: { x: 0, y, w: WIDTH, h: 1 },
      panels: [],
    });
    y += 1;
    const columns = own.length % 3 === 0 ? 3 : 4;
    const w = WIDTH / columns;
    for (const [at, panel] of own.entries()) {
      const gridPos = { x: (at % columns) * w, y: y + Math.floor(at / columns) * HEIGHT, w, h: HEIGHT };
      all.push(panelOf(panel, all.length + 1, gridPos));
    }
    y += Math.ceil(own.length / columns) * HEIGHT;
  }
  return all;
}

const valuesOf = (name: string, metric: string) => ({
  name,
  type: 'query',
  datasource: SOURCE,
  definition: `label_values(${metric}, ${name})`,
  query: { query: `label_values(${metric}, ${name})`, refId: name },
  includeAll: true,
  multi: true,
  allValue: '.*',
  current: { selected: true, text: ['All'], value: ['$__all'] },
  options: [],
  refresh: 2,
  sort: 1,
});

/** The board, as Grafana imports it. */
export function dashboard() {
  return {
    uid: 'rxflume',
    title: 'rxflume',
    description: 'Flows of rxflume: how far behind, at which rate, how near their limits.',
    tags: ['rxflume'],
    schemaVersion: 39,
    version: 1,
    editable: true,
    graphTooltip: 1,
    refresh: '30s',
    time: { from: 'now-3h', to: 'now' },
    timezone: 'browser',
    annotations: { list: [] },
    links: [],
    templating: {
      list: [
        { name: 'datasource', type: 'datasource', query: 'prometheus', options: [], refresh: 1 },
        valuesOf('job', 'rxflume_build_info'),
        valuesOf('flow', 'rxflume_flow_state'),
        {
          name: 'age_limit',
          label: 'age limit, s',
          type: 'textbox',
          query: '1800',
          current: { selected: true, text: '1800', value: '1800' },
          options: [],
        },
      ],
    },
    panels: panels(),
  };
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const file = new URL('../deploy/grafana/rxflume.json', import.meta.url);
  writeFileSync(file, `${JSON.stringify(dashboard(), null, 2)}\n`);
}
