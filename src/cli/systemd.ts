import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { describeError } from '../core/errors.js';
import type { Level } from '../core/monitor.js';
import type { Health } from '../metrics/health.js';

const run = promisify(execFile);

/** What systemd asks of a service of `Type=notify`. */
export interface SystemdService {
  /** A ping is due within each span of so long, in milliseconds; undefined without `WatchdogSec`. */
  readonly watchdogMs: number | undefined;
}

/**
 * What systemd asks of this process; undefined where it asks for nothing.
 *
 * Source: sd_notify(3), sd_watchdog_enabled(3).
 */
export function systemdService(env: NodeJS.ProcessEnv, pid: number): SystemdService | undefined {
  if ((env.NOTIFY_SOCKET ?? '') === '') return undefined;
  const micros = Number(env.WATCHDOG_USEC ?? '');
  const isForUs = env.WATCHDOG_PID === undefined || Number(env.WATCHDOG_PID) === pid;
  return { watchdogMs: isForUs && Number.isSafeInteger(micros) && micros > 0 ? micros / 1_000 : undefined };
}

/** What a notifier knows the process by, and how it speaks. */
export interface SystemdSetting {
  readonly service: SystemdService;
  readonly send: (assignments: readonly string[]) => Promise<void>;
  readonly isReady: () => boolean;
  readonly liveness: () => Health;
  /** One line for `systemctl status`. */
  readonly status: () => string;
  readonly say: (level: Level, what: string, message: string) => void;
}

/** How often it is looked whether the flow is ready, in milliseconds. */
const LOOK_EVERY_MS = 1_000;
/** How often the status is sent where no watchdog asks for more, in milliseconds. */
const STATUS_EVERY_MS = 30_000;
/** After how long it is said again that the flow is ready, where systemd did not get that, in milliseconds. */
const READY_AGAIN_MS = 5_000;

/**
 * Tells systemd when the flow is connected, that it moves, and that it drains. A flow that no longer moves gets no ping, so that
 * systemd restarts it.
 *
 * Bounds: one message under way; one that is due meanwhile is left out, except the last.
 */
export class SystemdNotifier {
  readonly #setting: SystemdSetting;
  #timer: NodeJS.Timeout | undefined;
  /** Whether the message under way, or the last one, was sent. */
  #sending: Promise<boolean> = Promise.resolve(true);
  #isSending = false;
  /** Whether systemd has it that the flow is ready. */
  #isReady = false;
  #hasFailed = false;
  #isSilent = false;

  constructor(setting: SystemdSetting) {
    this.#setting = setting;
    const { watchdogMs } = setting.service;
    // Half of what is allowed, as sd_watchdog_enabled(3) recommends.
    const pingEveryMs = watchdogMs === undefined ? STATUS_EVERY_MS : watchdogMs / 2;
    let nextPingInMs = 0;
    let nextReadyInMs = 0;
    const everyMs = Math.min(LOOK_EVERY_MS, pingEveryMs);
    this.#timer = setInterval(() => {
      nextPingInMs -= everyMs;
      nextReadyInMs -= everyMs;
      // A message under way would leave this one out.
      if (!this.#isReady && !this.#isSending && nextReadyInMs <= 0 && setting.isReady()) {
        nextReadyInMs = READY_AGAIN_MS;
        void this.#send(['READY=1', `STATUS=${setting.status()}`]).then((isSent) => {
          this.#isReady = isSent;
        });
      } else if (nextPingInMs <= 0) {
        nextPingInMs = pingEveryMs;
        this.#ping();
      }
    }, everyMs);
    this.#timer.unref();
  }

  /** The flow drains. Settles when systemd has the message, or cannot be reached. */
  async stopping(): Promise<void> {
    await this.#sending;
    await this.#send(['STOPPING=1', 'STATUS=Draining']);
  }

  end(): void {
    clearInterval(this.#timer);
    this.#timer = undefined;
  }

  #ping(): void {
    const { liveness, service, status, say } = this.#setting;
    const { ok, reasons } = liveness();
    if (!ok && !this.#isSilent && service.watchdogMs !== undefined) {
      const why = reasons.map(({ message }) => message).join(' ');
      say('warn', 'systemd.silent', `systemd gets no more pings, and restarts the process after WatchdogSec: ${why}`);
    }
    this.#isSilent = !ok;
    const ping = ok && service.watchdogMs !== undefined ? ['WATCHDOG=1'] : [];
    void this.#send([...ping, `STATUS=${status()}`]);
  }

  #send(assignments: readonly string[]): Promise<boolean> {
    if (this.#isSending) return this.#sending;
    this.#isSending = true;
    this.#sending = this.#setting.send(assignments).then(
      () => {
        this.#isSending = false;
        return true;
      },
      (error: unknown) => {
        this.#isSending = false;
        if (this.#hasFailed) return false;
        this.#hasFailed = true;
        this.#setting.say(
          'warn',
          'systemd.unreachable',
          `systemd did not get how the flow is (${describeError(error)}). Install systemd-notify, which is of systemd, set ` +
            '`NotifyAccess=all`, or use `Type=exec` without `WatchdogSec`. The flow goes on.',
        );
        return false;
      },
    );
    return this.#sending;
  }
}

/**
 * Sends with systemd's own program, because Node has no datagram sockets of Unix.
 *
 * Settles: when systemd has read it, or has not within 5 s.
 */
export async function systemdNotify(assignments: readonly string[]): Promise<void> {
  const { PATH, NOTIFY_SOCKET } = process.env;
  const env = { ...(PATH !== undefined && { PATH }), ...(NOTIFY_SOCKET !== undefined && { NOTIFY_SOCKET }) };
  await run('systemd-notify', [...assignments], { env, timeout: 5_000 });
}
