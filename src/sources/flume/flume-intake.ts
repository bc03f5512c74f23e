import type { Observable } from 'rxjs';
import { type FlumeEvent, flumeEventBytes, flumeEventOverhead } from '../../formats/flume-event.js';
import type { FlumeListening, FlumeRpcServer } from '../../ports/flume-rpc.js';
import type { Intake, IntakeListener, Measured } from '../listening/intake.js';

/** What Flume's clients send, as a source that listens takes it: a batch is a request. */
export class FlumeIntake implements Intake<FlumeEvent> {
  readonly kind = 'flume';
  readonly turnsAway = true;
  readonly words = { values: 'events', afterNack: 'The client got FAILED, and sends it again' };
  readonly #server: FlumeRpcServer;

  constructor(server: FlumeRpcServer) {
    this.#server = server;
  }

  get server(): string {
    return this.#server.name;
  }

  listen(listener: IntakeListener<FlumeEvent>): Observable<FlumeListening> {
    return this.#server.listen({
      batch: ({ client, events, byteLength, reply }) =>
        listener.received({
          client,
          values: events,
          byteLength,
          reply: ({ isDurable }) => reply(isDurable ? 'OK' : 'FAILED'),
        }),
      clients: (count) => listener.clients(count),
      logEvent: (level, what, message) => listener.logEvent(level, what, message),
    });
  }

  measure(event: FlumeEvent): Measured {
    const byteLength = flumeEventBytes(event);
    const memory = byteLength + flumeEventOverhead(event);
    return { byteLength, memory, timestamp: timestampOf(event.headers.timestamp) };
  }
}

/** Flume's own convention: the header `timestamp`, milliseconds since 1970. */
function timestampOf(header: string | undefined): number | undefined {
  if (header === undefined || !/^\d{1,15}$/.test(header)) return undefined;
  return Number(header);
}
