import type { Flow } from '../flow/flow.js';
import type { Guarantee } from '../flow/guarantee.js';

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

function levelText({ level }: Guarantee): string {
  return level.replaceAll('-', ' ');
}
