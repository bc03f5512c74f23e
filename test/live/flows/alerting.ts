// What the live test of alerts runs: the built-in rules over the state of a flow that is written in a file.
import { readFileSync } from 'node:fs';
import {
  alertmanagerReceiver,
  alerts,
  builtInAlerts,
  type FlowSnapshot,
  fileState,
  notify,
  webhookReceiver,
} from 'rxflume/alerts';
import { map, timer } from 'rxjs';

const env = (name: string) => process.env[name] ?? '';

const snapshots$ = timer(0, 200).pipe(
  map((): FlowSnapshot => {
    const state = readFileSync(env('TEST_STATE'), 'utf8').trim() as 'running' | 'failed';
    const flow = { flow: env('TEST_FLOW'), state, sources: [], operators: [], sinks: [], deadLetters: {} };
    return { flows: [flow], logEvents: [] };
  }),
);

alerts(snapshots$, builtInAlerts())
  .pipe(
    notify({
      receivers: [
        webhookReceiver({ url: env('TEST_WEBHOOK'), secret: 'live-secret' }),
        alertmanagerReceiver({ urls: env('TEST_ALERTMANAGERS').split(','), resendIntervalMs: 1_000 }),
      ],
      groupWaitMs: 200,
      groupIntervalMs: 1_000,
      retry: { firstDelayMs: 100, maxDelayMs: 1_000 },
      state: fileState(env('TEST_SAVED')),
    }),
  )
  .subscribe(({ receiver, result }) => console.log(receiver, result));
