import { createHmac } from 'node:crypto';
import { mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, describe, expect, it, jest } from '@jest/globals';
import { from, lastValueFrom, NEVER, of, Subject, throwError } from 'rxjs';
import {
  type AlertEvent,
  type AlertStateStore,
  alertmanagerReceiver,
  fileState,
  logReceiver,
  type Notification,
  type NotificationResult,
  type NotifyOptions,
  notify,
  type Receiver,
  webhookReceiver,
} from '../../src/alerts/index.js';
import { Monitor } from '../../src/core/monitor.js';
import { MemoryHttp } from '../../src/testing/index.js';
import { inVirtualTime } from '../support/virtual-time.js';

afterEach(() => {
  jest.restoreAllMocks();
});

const event = (state: AlertEvent['state'], labels: Record<string, string> = {}, isFiring = state === 'firing') =>
  ({
    state,
    isFiring,
    labels: { alertname: 'Old', flow: 'chat', severity: 'critical', ...labels },
    annotations: { summary: 'It is old' },
    at: 5_000,
    startsAt: 1_000,
  }) satisfies AlertEvent;

/** A receiver that keeps what it is sent, and answers as told. */
class Kept implements Receiver {
  readonly name: string;
  readonly sent: Notification[] = [];
  readonly resendIntervalMs?: number;
  answer: (n: number) => ReturnType<Receiver['send']> = () => from([]);

  constructor(name = 'kept', resendIntervalMs?: number) {
    this.name = name;
    if (resendIntervalMs !== undefined) this.resendIntervalMs = resendIntervalMs;
  }

  send(notification: Notification): ReturnType<Receiver['send']> {
    this.sent.push(notification);
    return this.answer(this.sent.length - 1);
  }

  get texts(): string[] {
    return this.sent.map(({ alerts }) =>
      alerts.map(({ status, labels }) => `${status} ${labels.flow}${labels.n ?? ''}`).join(', '),
    );
  }
}

const setUp = (receivers: NotifyOptions['receivers'], options: Partial<NotifyOptions> = {}) => {
  const monitor = new Monitor();
  const logged: string[] = [];
  const results: NotificationResult[] = [];
  const events$ = new Subject<AlertEvent>();
  monitor.logEvents$.subscribe(({ level, what, message }) => logged.push(`${level} ${what}: ${message}`));
  let isComplete = false;
  const life = events$.pipe(notify({ receivers, monitor, ...options })).subscribe({
    next: (result) => results.push(result),
    complete: () => {
      isComplete = true;
    },
  });
  return { monitor, logged, results, events$, life, isComplete: () => isComplete };
};

/** A state in memory, as a file has it. */
class MemoryState implements AlertStateStore {
  readonly name = 'memory';
  text: string | null = null;
  load = () => of(this.text);
  save = (text: string) => {
    this.text = text;
    return of(null);
  };
}

describe('notify', () => {
  it('waits for the group, notifies once, repeats, and notifies the end and a new beginning', () =>
    inVirtualTime((at) => {
      const kept = new Kept();
      const { events$, life, monitor } = setUp([kept], { repeatIntervalMs: 600_000 });
      events$.next(event('pending'));
      events$.next(event('firing'));
      at(500, () => events$.next(event('firing', { n: '2' })));
      at(1_100, () => {
        expect(kept.texts).toEqual(['firing chat, firing chat2']);
        expect(monitor.total('rxflume_alerts_firing')).toBe(2);
        events$.next(event('firing'));
        events$.next(event('noData', {}, true));
      });
      at(590_000, () => expect(kept.texts.length).toBe(1));
      at(661_500, () => {
        expect(kept.texts.length).toBe(2);
        events$.next(event('resolved'));
      });
      at(780_000, () => {
        expect(kept.texts[2]).toBe('firing chat2, resolved chat');
        events$.next(event('firing'));
      });
      at(850_000, () => {
        expect(kept.texts.slice(3)).toEqual(['firing chat, firing chat2']);
        events$.next(event('resolved'));
        events$.next(event('resolved', { n: '2' }));
      });
      at(920_000, () => {
        expect(kept.texts.slice(4)).toEqual(['resolved chat, resolved chat2']);
        expect(kept.sent[4]?.status).toBe('resolved');
        expect(kept.sent[4]?.groupLabels).toEqual({ alertname: 'Old', flow: 'chat' });
      });
      at(3_000_000, () => {
        expect(kept.texts.length).toBe(5);
        expect(monitor.total('rxflume_alerts_firing')).toBe(0);
        life.unsubscribe();
      });
    }));

  it('says nothing of what is silenced until the silence ends', () =>
    inVirtualTime((at) => {
      const kept = new Kept();
      const silences = [{ matchers: { flow: /cha./, severity: 'critical' }, until: 90_000 }];
      const { events$, life } = setUp([kept], { silences });
      events$.next(event('firing'));
      events$.next(event('firing', { flow: 'chat-2' }));
      at(50_000, () => expect(kept.texts).toEqual(['firing chat-2']));
      at(130_000, () => {
        expect(kept.texts).toEqual(['firing chat-2', 'firing chat']);
        life.unsubscribe();
      });
    }));

  it('tries again with backoff, one receiver apart from the other, and at the next interval', () =>
    inVirtualTime((at) => {
      const bad = new Kept('bad');
      const good = new Kept('good');
      const mute = new Kept('mute');
      bad.answer = (n) => (n < 6 ? throwError(() => new Error('500 token=s3cr3t')) : from([]));
      mute.answer = () => NEVER;
      const retry = { maxAttempts: 5, firstDelayMs: 1_000, jitter: 0 };
      const { events$, life, results, logged, monitor } = setUp([bad, [good, mute]], { retry });
      events$.next(event('firing'));
      at(1_001, () => expect(good.sent.length).toBe(1));
      at(30_000, () => {
        expect(bad.sent.length).toBe(5);
        expect(results.map(({ receiver, result }) => `${receiver} ${result}`)).toEqual(['good sent', 'bad failed']);
      });
      at(70_000, () => {
        expect(bad.sent.length).toBe(7);
        expect(results.filter(({ receiver }) => receiver === 'bad').at(-1)?.result).toBe('sent');
        expect(logged.join('\n')).not.toMatch(/s3cr3t/);
        expect(logged).toContain('info alerts.resumed: Receiver bad accepts alerts again.');
        expect(logged.join('\n')).toMatch(
          /Receiver mute did not accept 1 alerts: Receiver mute did not take alerts within 30000 ms/,
        );
        expect(monitor.metric('rxflume_alert_notifications_total', { receiver: 'bad', result: 'sent' }).value).toBe(1);
        life.unsubscribe();
      });
    }));

  it('drops the oldest of too many groups, and sends it at its next interval', () =>
    inVirtualTime((at) => {
      const slow = new Kept();
      slow.answer = (n) => (n === 0 ? NEVER : from([]));
      const { events$, life, results } = setUp([slow], { groupBy: ['n'], groupWaitMs: 0, sendTimeoutMs: 50_000 });
      for (let n = 0; n < 110; n += 1) events$.next(event('firing', { n: String(n) }));
      at(100, () => expect(results.map(({ result }) => result)).toEqual(Array.from({ length: 9 }, () => 'dropped')));
      at(130_000, () => {
        const told = new Set(slow.sent.flatMap(({ alerts }) => alerts.map(({ labels }) => labels.n)));
        expect(told.size).toBe(110);
        life.unsubscribe();
      });
    }));

  it('does not notify again after a restart, and does notify the end', () =>
    inVirtualTime((at) => {
      const state = new MemoryState();
      const first = new Kept();
      const one = setUp([first], { state });
      one.events$.next(event('firing'));
      one.events$.next(event('firing', { flow: 'gone' }));
      at(5_000, () => {
        expect(first.texts).toEqual(['firing chat', 'firing gone']);
        // Killed: nothing more is saved.
        one.life.unsubscribe();
      });
      const second = new Kept();
      let two: ReturnType<typeof setUp>;
      at(6_000, () => {
        two = setUp([second], { state });
        two.events$.next(event('firing'));
      });
      at(100_000, () => {
        expect(second.texts).toEqual([]);
        two.events$.next(event('resolved'));
      });
      at(200_000, () => expect(second.texts).toEqual(['resolved chat']));
      at(3_800_000, () => {
        expect(two.logged).toEqual([
          'warn alerts.orphan: Alert Old of an earlier run is forgotten: no rule has mentioned it for an hour.',
        ]);
        two.life.unsubscribe();
      });
    }));

  it('ends what an earlier process reported when the rule says that all is well', () =>
    inVirtualTime((at) => {
      const state = new MemoryState();
      const one = setUp([new Kept()], { state });
      one.events$.next(event('firing'));
      const second = new Kept();
      at(5_000, () => {
        one.life.unsubscribe();
        const two = setUp([second], { state });
        two.events$.next(event('inactive'));
        at(120_000, () => {
          expect(second.texts).toEqual(['resolved chat']);
          two.life.unsubscribe();
        });
      });
    }));

  it.each([['{"version":1,"alerts":[{"labels":1}],"sent":[]}'], ['not JSON'], ['null']])(
    'starts without a state that is damaged, and notifies what fires: %s',
    (text) =>
      inVirtualTime((at) => {
        const state = new MemoryState();
        state.text = text;
        const kept = new Kept();
        const { events$, life, logged } = setUp([kept], { state });
        events$.next(event('firing'));
        at(2_000, () => {
          expect(kept.texts).toEqual(['firing chat']);
          expect(logged.length).toBe(1);
          expect(logged[0]).toMatch(/^warn alerts\.state: Cannot read the state of alerts in memory/);
          expect(state.text).toMatch(/"flow":"chat"/);
          life.unsubscribe();
        });
      }),
  );

  it('goes on where the state can be neither read nor saved', () =>
    inVirtualTime((at) => {
      const state: AlertStateStore = {
        name: 'full',
        load: () => throwError(() => new Error('EIO')),
        save: () => throwError(() => new Error('ENOSPC')),
      };
      const kept = new Kept();
      const { events$, life, logged } = setUp([kept], { state });
      events$.next(event('firing'));
      at(2_000, () => {
        expect(kept.texts).toEqual(['firing chat']);
        expect(logged.map((line) => line.split(':')[0])).toEqual(['warn alerts.state', 'warn alerts.state']);
        life.unsubscribe();
      });
    }));

  it('tells receivers before it completes, and waits no longer than `drainTimeoutMs`', () =>
    inVirtualTime((at) => {
      const kept = new Kept();
      const hanging = new Kept('hanging');
      hanging.answer = () => NEVER;
      const one = setUp([kept], { groupWaitMs: 60_000 });
      one.events$.next(event('firing'));
      one.events$.complete();
      const two = setUp([hanging]);
      two.events$.next(event('firing'));
      two.events$.complete();
      at(1_000, () => {
        expect([kept.texts, one.isComplete(), two.isComplete()]).toEqual([['firing chat'], true, false]);
      });
      at(5_100, () => expect(two.isComplete()).toBe(true));
    }));

  it('rejects bad options at the call', () => {
    const receivers = [new Kept()];
    expect(() => notify({ receivers: [] })).toThrow(/receivers/);
    expect(() => notify({ receivers: [new Kept(), new Kept()] })).toThrow(/different names/);
    expect(() => notify({ receivers, silences: [{ matchers: {}, until: 1 }] })).toThrow(/silences/);
    expect(() => notify({ receivers, retry: { maxAttempts: 0 } })).toThrow(/retry\.maxAttempts/);
    expect(() => notify({ receivers, groupIntervalMs: 0 })).toThrow(/groupIntervalMs/);
  });
});

describe('webhookReceiver', () => {
  const secret = 'wh-s3cr3t-7';
  const url = 'http://oncall/hook?token=q-s3cr3t';

  it('posts what Alertmanager posts, version 4, signed', () =>
    inVirtualTime((at) => {
      const http = new MemoryHttp();
      const { events$, life } = setUp([webhookReceiver({ url, secret, client: http, name: 'oncall' })]);
      events$.next(event('firing'));
      at(2_000, () => {
        const [request] = http.seen;
        const { headers, body } = request as NonNullable<typeof request>;
        const mac = createHmac('sha256', secret).update(`${headers['x-rxflume-timestamp']}.${body}`).digest('hex');
        expect(headers['x-rxflume-signature']).toBe(`sha256=${mac}`);
        expect(JSON.parse(body)).toEqual({
          version: '4',
          groupKey: '[["alertname","Old"],["flow","chat"]]',
          truncatedAlerts: 0,
          status: 'firing',
          receiver: 'oncall',
          groupLabels: { alertname: 'Old', flow: 'chat' },
          commonLabels: { alertname: 'Old', flow: 'chat', severity: 'critical' },
          commonAnnotations: { summary: 'It is old' },
          externalURL: '',
          alerts: [
            {
              status: 'firing',
              labels: { alertname: 'Old', flow: 'chat', severity: 'critical' },
              annotations: { summary: 'It is old' },
              startsAt: '1970-01-01T00:00:01.000Z',
              endsAt: '0001-01-01T00:00:00Z',
              generatorURL: '',
              fingerprint: expect.stringMatching(/^[0-9a-f]{16}$/),
            },
          ],
        });
        life.unsubscribe();
      });
    }));

  it.each([
    ['500', { status: 500, body: `token=q-s3cr3t ${secret}` }, 5, /answered 500/],
    ['a redirect', { status: 302, headers: { location: 'http://evil/' } }, 1, /Redirects are not followed/],
    ['a request that is wrong', { status: 401 }, 1, /answered 401\. Check the URL/],
    ['silence', 'silence', 2, /did not answer within 10000 ms/],
    ['a lost connection', 'reset', 5, /connection ended/],
  ] as const)('survives %s, and shows no secret', (_, script, attempts, message) =>
    inVirtualTime((at) => {
      const http = new MemoryHttp();
      http.answer = () => script;
      const hook = webhookReceiver({ url, secret, client: http });
      const retry = { firstDelayMs: 1_000, jitter: 0 };
      const { events$, life, results, logged } = setUp([hook], { retry });
      events$.next(event('firing'));
      at(30_000, () => {
        expect(http.seen.length).toBeGreaterThanOrEqual(attempts);
        expect(results.map(({ result }) => result)).toEqual(script === 'silence' ? [] : ['failed']);
        expect(logged[0]).toMatch(message);
        expect(logged.join('\n') + String(results[0]?.error)).not.toMatch(/s3cr3t/);
        expect(http.seen.every((request) => request.url === url)).toBe(true);
        life.unsubscribe();
      });
    }),
  );

  it('rejects bad options, and does not show the URL', () => {
    expect(() => webhookReceiver({ url: 'ftp://x/' })).toThrow(/http or https/);
    expect(() => webhookReceiver({ url: 'https://u:p-s3cr3t@x/' })).toThrow(/^(?!.*s3cr3t)/);
    expect(() => webhookReceiver({ url: 'http://x/', secret: '' })).toThrow(/secret/);
    const headers = { 'x-api-key': 's3cr3t\n' };
    expect(() => webhookReceiver({ url: 'http://x/', headers })).toThrow(/^(?!.*s3cr3t).*headers/);
    expect(() => alertmanagerReceiver({ urls: ['http://x/'], headers })).toThrow(/^(?!.*s3cr3t).*headers/);
  });
});

describe('alertmanagerReceiver', () => {
  it('sends to each instance at once and again, resolved for 15 minutes, whatever befalls the other', () =>
    inVirtualTime((at) => {
      const http = new MemoryHttp();
      http.answer = ({ url }) => (url.startsWith('http://am1') ? 'silence' : 200);
      const receivers = alertmanagerReceiver({ urls: ['http://am1:9093', 'http://am2:9093/base/'], client: http });
      const { events$, life } = setUp([receivers]);
      const of2 = () => http.seen.filter(({ url }) => url === 'http://am2:9093/base/api/v2/alerts');
      events$.next(event('firing'));
      at(100, () => {
        const [alert] = JSON.parse(of2()[0]?.body ?? '[]') as Record<string, string>[];
        expect(alert).toMatchObject({
          labels: { alertname: 'Old', flow: 'chat', severity: 'critical' },
          startsAt: '1970-01-01T00:00:01.000Z',
        });
        expect(Date.parse(alert?.endsAt ?? '')).toBeGreaterThanOrEqual(240_000);
        expect(Date.parse(alert?.endsAt ?? '')).toBeLessThan(240_100);
      });
      at(180_100, () => {
        expect(of2().length).toBe(4);
        events$.next({ ...event('resolved'), at: 180_100 });
      });
      at(180_200, () => {
        const [alert] = JSON.parse(of2().at(-1)?.body ?? '[]') as Record<string, string>[];
        expect(Date.parse(alert?.endsAt ?? '')).toBe(180_100);
      });
      at(1_070_000, () => expect(of2().length).toBe(5 + 14));
      at(2_000_000, () => {
        expect(of2().length).toBeLessThanOrEqual(5 + 16);
        expect(http.seen.some(({ url }) => url === 'http://am1:9093/api/v2/alerts')).toBe(true);
        life.unsubscribe();
      });
    }));
});

describe('logReceiver', () => {
  it('logs as its severity says', () =>
    inVirtualTime((at) => {
      const monitor = new Monitor();
      const { events$, life } = setUp([logReceiver({ monitor })]);
      const logged: string[] = [];
      monitor.logEvents$.subscribe(({ level, what, message }) => logged.push(`${level} ${what} ${message}`));
      events$.next(event('firing'));
      events$.next(event('firing', { severity: 'warning', flow: 'b' }));
      at(1_500, () => events$.next(event('resolved')));
      at(70_000, () => {
        expect(logged).toEqual([
          'error alert.firing Alert Old: It is old.',
          'warn alert.firing Alert Old: It is old.',
          'info alert.resolved Resolved Old: It is old.',
        ]);
        life.unsubscribe();
      });
    }));
});

describe('fileState', () => {
  it('keeps the last text, which only its owner can read, and knows when there is none', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'rxflume-alerts-'));
    try {
      const path = join(folder, 'alerts.json');
      const state = fileState(path);
      const load = () => lastValueFrom(from(state.load()));
      expect(await load()).toBe(null);
      await lastValueFrom(from(state.save('one')), { defaultValue: null });
      writeFileSync(`${path}.new`, 'half of', { mode: 0o666 });
      await lastValueFrom(from(state.save('two')), { defaultValue: null });
      expect([await load(), readFileSync(path, 'utf8'), statSync(path).mode & 0o777]).toEqual(['two', 'two', 0o600]);
    } finally {
      rmSync(folder, { recursive: true });
    }
  });
});
