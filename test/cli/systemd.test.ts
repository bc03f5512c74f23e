import { afterEach, beforeEach, describe, expect, it, jest } from '@jest/globals';
import { SystemdNotifier, systemdService } from '../../src/cli/systemd.js';
import type { Health } from '../../src/metrics/health.js';

beforeEach(() => void jest.useFakeTimers());
afterEach(() => void jest.useRealTimers());

const WELL: Health = { ok: true, reasons: [] };
const STUCK: Health = {
  ok: false,
  reasons: [{ flow: 'chat', what: 'no-progress', message: 'It waits in sink hdfs.' }],
};

function notifier(watchdogMs: number | undefined, send = (_: readonly string[]): Promise<void> => Promise.resolve()) {
  const sent: string[] = [];
  const said: string[] = [];
  const state = { isReady: false, health: WELL };
  const systemd = new SystemdNotifier({
    service: { watchdogMs },
    send: (assignments) => {
      sent.push(assignments.join(' '));
      return send(assignments);
    },
    isReady: () => state.isReady,
    liveness: () => state.health,
    status: () => 'chat 5/s',
    say: (level, what, message) => void said.push(`${level} ${what}: ${message}`),
  });
  return { systemd, sent, said, state };
}

describe('a service of Type=notify', () => {
  it.each([
    ['without a socket', {}, undefined],
    ['without a watchdog', { NOTIFY_SOCKET: '/run/n' }, { watchdogMs: undefined }],
    ['with one', { NOTIFY_SOCKET: '/run/n', WATCHDOG_USEC: '60000000', WATCHDOG_PID: '7' }, { watchdogMs: 60_000 }],
    [
      'with one of another process',
      { NOTIFY_SOCKET: '/n', WATCHDOG_USEC: '5', WATCHDOG_PID: '8' },
      { watchdogMs: undefined },
    ],
    ['with one that is no number', { NOTIFY_SOCKET: '/n', WATCHDOG_USEC: 'soon' }, { watchdogMs: undefined }],
  ])('is known by its environment: %s', (_, env, service) => {
    expect(systemdService(env, 7)).toEqual(service);
  });

  it('is ready once the flow is connected, and not before', async () => {
    const { systemd, sent, state } = notifier(undefined);
    await jest.advanceTimersByTimeAsync(5_000);
    expect(sent.filter((text) => text.includes('READY'))).toEqual([]);
    state.isReady = true;
    await jest.advanceTimersByTimeAsync(120_000);
    expect(sent.filter((text) => text.includes('READY'))).toEqual(['READY=1 STATUS=chat 5/s']);
    systemd.end();
  });

  it('is ready even where another message is under way when the flow connects', async () => {
    const { systemd, sent, state } = notifier(undefined, () => new Promise((resolve) => setTimeout(resolve, 3_500)));
    await jest.advanceTimersByTimeAsync(1_500);
    expect(sent).toHaveLength(1);
    state.isReady = true;
    await jest.advanceTimersByTimeAsync(10_000);
    expect(sent.filter((text) => text.includes('READY'))).toEqual(['READY=1 STATUS=chat 5/s']);
    systemd.end();
  });

  it('is ready again where systemd did not get it, until it does, and is pinged meanwhile', async () => {
    let refusals = 2;
    const send = (assignments: readonly string[]) =>
      assignments[0] === 'READY=1' && refusals-- > 0 ? Promise.reject(new Error('timeout')) : Promise.resolve();
    const { systemd, sent, said, state } = notifier(2_000, send);
    state.isReady = true;
    await jest.advanceTimersByTimeAsync(60_000);
    expect(sent.filter((text) => text.includes('READY'))).toHaveLength(3);
    expect(sent.slice(0, 12).filter((text) => text.includes('WATCHDOG=1')).length).toBeGreaterThanOrEqual(8);
    expect(said).toHaveLength(1);
    systemd.end();
  });

  it('is pinged at least once in each half of the watchdog time, whatever that is', async () => {
    for (const watchdogMs of [400, 1_000, 60_000]) {
      const { systemd, sent, state } = notifier(watchdogMs);
      state.isReady = true;
      await jest.advanceTimersByTimeAsync(10 * watchdogMs + 2_000);
      expect(sent.filter((text) => text.includes('WATCHDOG=1')).length).toBeGreaterThanOrEqual(19);
      systemd.end();
    }
  });

  it('is not pinged while the flow does not move, says why once, and is again when it moves', async () => {
    const { systemd, sent, said, state } = notifier(2_000);
    state.health = STUCK;
    await jest.advanceTimersByTimeAsync(10_000);
    expect(sent.some((text) => text.includes('WATCHDOG'))).toBe(false);
    expect(said).toEqual([expect.stringMatching(/^warn systemd\.silent: .*It waits in sink hdfs\./)]);
    state.health = WELL;
    await jest.advanceTimersByTimeAsync(2_000);
    expect(sent.some((text) => text.includes('WATCHDOG=1'))).toBe(true);
    systemd.end();
  });

  it('sends that it stops even while another message is under way', async () => {
    const { systemd, sent } = notifier(2_000, () => new Promise((resolve) => setTimeout(resolve, 500)));
    await jest.advanceTimersByTimeAsync(1_000);
    const stopping = systemd.stopping();
    await jest.advanceTimersByTimeAsync(1_000);
    await stopping;
    expect(sent).toContain('STOPPING=1 STATUS=Draining');
    systemd.end();
  });

  it('goes on, and says so once, where systemd cannot be reached', async () => {
    const { systemd, said } = notifier(2_000, () => Promise.reject(new Error('spawn systemd-notify ENOENT')));
    await jest.advanceTimersByTimeAsync(10_000);
    await systemd.stopping();
    expect(said).toEqual([expect.stringMatching(/^warn systemd\.unreachable: .*ENOENT.*Install systemd-notify/)]);
    systemd.end();
  });
});
