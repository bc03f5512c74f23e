import type { Flow } from '../../flow/flow.js';
import type { Guarantee } from '../../flow/guarantee.js';
import type { Connection } from './connections.js';

/** What `rxflume check` prints of a flow: its name, what it guarantees and why, and what its parts warn of. */
export function checkText({ name, guarantee, warnings }: Flow): string {
  const reasons = guarantee.because.map((reason) => `  - ${reason}\n`);
  const warned = warnings.map((warning) => `warning: ${warning}\n`);
  return `${name}: ${levelText(guarantee)}\n${reasons.join('')}${warned.join('')}`;
}

/** A guarantee as part of one line: the level, and the first reason where it is the lesser one. */
export function guaranteeClause(guarantee: Guarantee): string {
  if (guarantee.level === 'exactly-once') return levelText(guarantee);
  return `${levelText(guarantee)}: ${guarantee.because[0]}`;
}

/** Where flows hand over to each other, a line each; empty where none does. */
export function connectionsText(connections: readonly Connection[]): string {
  const lines = connections.map(
    ({ from, to, kind, name, addresses }) => `  ${from} ─▶ ${to}  ${kind} ${name} at ${addresses.join(', ')}\n`,
  );
  return lines.length === 0 ? '' : `\nconnections:\n${lines.join('')}`;
}

/** What is wrong with flows that feed each other in a circle. */
export function circleText(circle: readonly string[]): string {
  const path = [...circle, circle[0]].join(' ─▶ ');
  return `rxflume: RXF_FLOW_LOOP: Flows feed each other in a circle, so each value comes back again and again: ${path}. Have one of them write elsewhere.\n`;
}

/** A level in words. */
export function levelText({ level }: Pick<Guarantee, 'level'>): string {
  return level.replaceAll('-', ' ');
}
