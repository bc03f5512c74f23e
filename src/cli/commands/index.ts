import type { AnyCommand } from '../command.js';
import { alerts } from './alerts.js';
import { backfill } from './backfill.js';
import { check } from './check.js';
import { dlq } from './dlq.js';
import { doctor } from './doctor.js';
import { graph } from './graph.js';
import { init } from './init.js';
import { ledger } from './ledger.js';
import { migrate } from './migrate.js';
import { model } from './model.js';
import { plan } from './plan.js';
import { rewind } from './rewind.js';
import { run } from './run.js';
import { schema } from './schema.js';
import { shadow } from './shadow.js';
import { tap } from './tap.js';
import { top } from './top.js';
import { why } from './why.js';

/** All commands, in the order of the help. What does their work is loaded when it is called. */
export const COMMANDS: readonly AnyCommand[] = [
  ...[run, check, doctor, graph, plan, ledger, schema, alerts, model],
  ...[shadow, backfill, top, tap, why, rewind, migrate, init, dlq],
];
