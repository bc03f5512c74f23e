import type { Certificate, FactOf } from '../../../delivery/probe.js';
import { durationText } from '../duration-text.js';
import { bad, type Finding, ok } from '../finding.js';

const RENEW_BEFORE_MS = 14 * 86_400_000;

/**
 * Whether what a part connects to is reached. Of the servers in the options one is enough, so another that is not reached is a warning;
 * an address that a server named is what is connected to next, so it must be reached.
 */
export function checkEndpoints(facts: readonly FactOf<'endpoint'>[], nowMs: number): Finding[] {
  const reached = new Set(facts.filter(isInOptions).flatMap(({ role, outcome }) => (outcome.isReached ? [role] : [])));
  return facts.flatMap((fact) => {
    const { role, address, namedBy, outcome, fix } = fact;
    const what = `${role} ${address}`;
    if (outcome.isReached) {
      const finding = ok('endpoint', `${what} answers, in ${Math.round(outcome.ms)} ms`);
      return outcome.certificate ? [finding, certificateFinding(what, outcome.certificate, nowMs)] : [finding];
    }
    const { stage, reason } = outcome;
    const why = {
      name: `has a name that this machine does not know: ${reason}`,
      connection: `cannot be reached: ${reason}`,
      tls: `is reached, but TLS fails: ${reason}`,
    }[stage];
    const hasOther = isInOptions(fact) && reached.has(role);
    const level = hasOther ? 'warning' : 'problem';
    const path = namedBy === undefined ? undefined : `named by ${namedBy}`;
    return [bad(level, 'endpoint', `${what} ${why}${hasOther ? ' (another one is)' : ''}`, fix, path)];
  });
}

function isInOptions({ namedBy }: FactOf<'endpoint'>): boolean {
  return namedBy === undefined;
}

function certificateFinding(of: string, { subject, validFromMs, validToMs }: Certificate, nowMs: number): Finding {
  const name = `The certificate of ${of} (${subject})`;
  const date = new Date(validToMs).toISOString().slice(0, 10);
  const fix = 'Renew the certificate on that server.';
  if (validFromMs > nowMs)
    return bad('problem', 'certificate', `${name} is not valid yet`, 'Check the clocks here and there.');
  if (validToMs <= nowMs) return bad('problem', 'certificate', `${name} has ended on ${date}`, fix);
  const left = durationText(validToMs - nowMs);
  if (validToMs - nowMs < RENEW_BEFORE_MS)
    return bad('warning', 'certificate', `${name} ends on ${date}, in ${left}`, fix);
  return ok('certificate', `${name} is valid until ${date}`);
}
