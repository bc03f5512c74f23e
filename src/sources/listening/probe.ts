import { map } from 'rxjs';
import { type Fact, type Probe, rightBy } from '../../delivery/probe.js';
import type { Intake, IntakeListener } from './intake.js';

/** What connects meanwhile is turned away before anything of it is read. */
const CLOSED: IntakeListener<unknown> = {
  isFull: true,
  isTaking: false,
  received: (request) => {
    request.reply({ isDurable: false, why: 'draining' });
  },
  lost: () => undefined,
  clients: () => undefined,
  logEvent: () => undefined,
};

/** Listens for a moment. An address that is in use may be in use by the flow itself. */
export function listenProbe<T>(intakeOf: () => Intake<T>): Probe {
  return () => {
    const intake = intakeOf();
    const fix = 'Choose a port that this user may have, and an address of this machine.';
    return rightBy({ action: 'listen', on: intake.server, fix }, () => intake.listen(CLOSED)).pipe(
      map((fact) => (fact.kind === 'right' && isInUse(fact.error) ? inUse(intake.server, fact.error) : fact)),
    );
  };
}

function inUse(server: string, error: unknown): Fact {
  const fix = 'If this flow runs here now, all is well; otherwise stop the program that has the address (ss -ltnup).';
  return { kind: 'unknown', what: `the right to listen at ${server}`, error, fix };
}

function isInUse(error: unknown): boolean {
  const { code, cause } = (error ?? {}) as { readonly code?: unknown; readonly cause?: unknown };
  return code === 'EADDRINUSE' || (cause !== undefined && isInUse(cause));
}
