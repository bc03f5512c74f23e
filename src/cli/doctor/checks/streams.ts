import type { FactOf } from '../../../delivery/probe.js';
import { countText, durationText } from '../duration-text.js';
import { bad, type Finding, ok } from '../finding.js';

type StreamFact = FactOf<'stream'>;

/** The most findings of a kind that are shown one by one. */
const MOST_SHOWN = 5;
/** Less than this share of the retention is left: it is about to be deleted, or may be soon. */
const URGENT = 0.1;
const SOON = 0.5;

/** Whether what is to be read next is still there, and for how long. */
export function checkStreams(facts: readonly StreamFact[], nowMs: number): Finding[] {
  if (facts.length === 0) return [];
  const sorted = [...facts].sort((a, b) => a.stream.localeCompare(b.stream, 'en', { numeric: true }));
  const found = sorted.flatMap((fact) => findingsOf(fact, nowMs));
  const lag = facts.reduce((sum, { first, end, next }) => sum + Math.max(0, end - (next ?? first)), 0);
  const unbegun = facts.filter(({ next }) => next === undefined).length;
  const begun = unbegun === 0 ? '' : `; in ${unbegun} the group has not begun`;
  const text = `${countText(facts.length, 'partition')}, ${countText(lag, 'record')} to read${begun}`;
  return [ok('lag', text), ...shortened(found)];
}

function findingsOf(fact: StreamFact, nowMs: number): Finding[] {
  const { stream, first, end, next, futureFrom } = fact;
  const found: Finding[] = [];
  if (next !== undefined && next < first) {
    const text = `${stream}: ${countText(first - next, 'record')} from offset ${next} on are deleted, and were not read`;
    const fix =
      'They are gone. Raise `retention.ms` of the topic, and run more processes; `rxflume plan` says how many.';
    found.push(bad('problem', 'retention', text, fix));
  } else if (next !== undefined && next > end) {
    const text = `${stream}: the group goes on at offset ${next}, but the log ends at ${end}: was the topic made anew?`;
    const fix = 'Reset the offsets of the group (kafka-consumer-groups.sh --reset-offsets), or use another `groupId`.';
    found.push(bad('problem', 'retention', text, fix));
  } else found.push(...retentionOf(fact, nowMs));
  if (futureFrom !== undefined) {
    const text = `${stream}: the record at offset ${futureFrom} has a time more than a minute ahead of this machine`;
    const fix = 'Synchronize the clocks of the producers and of this machine (chronyc tracking).';
    found.push(bad('warning', 'clock', text, fix));
  }
  return found;
}

function retentionOf({ stream, nextWrittenMs, retentionMs }: StreamFact, nowMs: number): Finding[] {
  if (nextWrittenMs === undefined || retentionMs === undefined) return [];
  const leftMs = nextWrittenMs + retentionMs - nowMs;
  const kept = `the topic keeps records for ${durationText(retentionMs)}`;
  const fix =
    'Start the flow or run more processes (`rxflume plan` says how many), or raise `retention.ms` of the topic.';
  if (leftMs <= 0) {
    return [
      bad(
        'problem',
        'retention',
        `${stream}: you lose data at any moment; the next record is older than is kept (${kept})`,
        fix,
      ),
    ];
  }
  if (leftMs > retentionMs * SOON) return [];
  const level = leftMs < retentionMs * URGENT ? 'problem' : 'warning';
  return [
    bad(level, 'retention', `${stream}: you lose data in ${durationText(leftMs)}, unless it is read (${kept})`, fix),
  ];
}

/** Many partitions have the same trouble: the first of each check and level, and how many more. */
function shortened(findings: readonly Finding[]): Finding[] {
  const kinds = new Map<string, Finding[]>();
  for (const finding of findings) {
    const kind = `${finding.check} ${finding.level}`;
    kinds.set(kind, [...(kinds.get(kind) ?? []), finding]);
  }
  return [...kinds.values()].flatMap((all) => {
    const more = all.length - MOST_SHOWN;
    if (more <= 0) return all;
    const last = all[MOST_SHOWN - 1] as Finding;
    return [...all.slice(0, MOST_SHOWN - 1), { ...last, text: `${last.text}; and ${more} more like this` }];
  });
}

/** Whether the processes of a group have something to do each. */
export function checkGroup({ name, members, streams }: FactOf<'group'>): Finding {
  const text = `Group ${name}: ${countText(members, 'process')}`.replace('processs', 'processes');
  if (members <= streams) return ok('processes', `${text} now, of at most ${streams} that partitions are there for`);
  const fix = `Run at most ${streams}, or add partitions to the topic.`;
  return bad(
    'warning',
    'processes',
    `${text} for ${countText(streams, 'partition')}: ${members - streams} have nothing to do`,
    fix,
  );
}
