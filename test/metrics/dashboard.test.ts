import { describe, expect, it } from '@jest/globals';
import { dashboard } from '../../scripts/dashboard.js';
import { METRICS } from '../../src/metrics/index.js';
import { textOf } from '../docs/markdown.js';

/** What Prometheus adds to each series that it scrapes. */
const OF_PROMETHEUS = ['job', 'instance'];
const rules = textOf('deploy/prometheus/rxflume.rules.yml');
/** What rules record, each with the metric that its labels come from. */
const RECORDED: Readonly<Record<string, string>> = {
  'rxflume:age_seconds': 'rxflume_source_oldest_unsettled_timestamp_seconds',
};

/** The metric behind a name in PromQL; undefined where there is none. */
function metricOf(name: string): string | undefined {
  const base = name.replace(/_(bucket|sum|count)$/, '');
  if (METRICS[base]?.type === 'histogram') return name === base ? undefined : base;
  return name in METRICS ? name : RECORDED[name];
}

/** What is wrong with the names and labels of an expression. */
function faultsOf(expression: string): string[] {
  const names = [...new Set(expression.match(/rxflume[_:][a-z_]+/g))];
  const unknown = names.filter((name) => metricOf(name) === undefined);
  const labelsOf = (name: string) => [
    ...OF_PROMETHEUS,
    ...(METRICS[metricOf(name) ?? '']?.labels ?? []),
    ...(name.endsWith('_bucket') ? ['le'] : []),
  ];
  const selected = [...expression.matchAll(/(rxflume[_:][a-z_]+)\{([^}]*)\}/g)].flatMap(([, name = '', pairs = '']) =>
    [...pairs.matchAll(/(\w+)\s*(?:=~|!~|!=|=)/g)].flatMap(([, label = '']) =>
      labelsOf(name).includes(label) ? [] : [`${name}{${label}}`],
    ),
  );
  const all = names.flatMap(labelsOf);
  const grouped = [...expression.matchAll(/\b(?:by|on|without|ignoring) \(([^)]*)\)/g)].flatMap(([, labels = '']) =>
    labels.split(', '),
  );
  return [...unknown, ...selected, ...grouped.filter((label) => label !== '' && !all.includes(label))];
}

const { panels, templating, ...board } = dashboard();
const queries = panels.flatMap(({ title, targets = [] }) =>
  targets.map(({ expr, legendFormat }) => ({ title, expr, legendFormat })),
);

describe('the board of deploy/grafana', () => {
  it('is what scripts/dashboard.ts makes', () => {
    expect(JSON.parse(textOf('deploy/grafana/rxflume.json'))).toEqual(dashboard());
    expect([board.uid, board.schemaVersion]).toEqual(['rxflume', 39]);
  });

  it('asks for metrics and labels of the catalog only, and shows only labels that its queries keep', () => {
    expect(queries.length).toBeGreaterThan(25);
    expect(queries.flatMap(({ title, expr }) => faultsOf(expr).map((fault) => `${title}: ${fault}`))).toEqual([]);
    const shown = queries.flatMap(({ title, expr, legendFormat }) => {
      const kept = [...expr.matchAll(/\bby \(([^)]*)\)/g)].flatMap(([, labels = '']) => labels.split(', '));
      return [...legendFormat.matchAll(/\{\{(\w+)\}\}/g)].flatMap(([, label = '']) =>
        kept.includes(label) ? [] : [`${title}: ${label}`],
      );
    });
    expect(shown).toEqual([]);
    for (const variable of templating.list)
      expect(faultsOf('definition' in variable ? variable.definition : '')).toEqual([]);
  });

  it('asks only for what a rule records, and the rules for what is in the catalog', () => {
    for (const [name, metric] of Object.entries(RECORDED)) {
      expect(rules).toContain(`record: ${name}\n`);
      expect(metric in METRICS).toBe(true);
    }
    const expressions = [...rules.matchAll(/^ +expr: (?:\|\n((?: {10,}.*\n)+)|(.*)\n)/gm)].map(
      ([, block, line]) => block ?? line ?? '',
    );
    expect(expressions.length).toBeGreaterThanOrEqual(8);
    expect(expressions.flatMap(faultsOf)).toEqual([]);
  });

  it('has no panel over another, and none beside the grid', () => {
    const ids = panels.map(({ id }) => id);
    expect(new Set(ids).size).toBe(ids.length);
    for (const { title, gridPos, targets = [] } of panels) {
      const { x, y, w, h } = gridPos;
      expect([title, x >= 0 && x + w <= 24]).toEqual([title, true]);
      const over = panels.filter(
        ({ title: other, gridPos: at }) =>
          other !== title && at.x < x + w && x < at.x + at.w && at.y < y + h && y < at.y + at.h,
      );
      expect([title, over]).toEqual([title, []]);
      expect(targets.map(({ refId }) => refId)).toEqual([...'ABCDEF'].slice(0, targets.length));
    }
  });

  it('would be caught asking for what there is not', () => {
    expect(faultsOf('rate(rxflume_source_lag{group="x"}[5m])')).toEqual([
      'rxflume_source_lag',
      'rxflume_source_lag{group}',
    ]);
    expect(faultsOf('sum by (stream) (rxflume_sink_open_files{flow="x"})')).toEqual(['stream']);
    expect(faultsOf('rxflume_source_age_seconds')).toEqual(['rxflume_source_age_seconds']);
  });
});
