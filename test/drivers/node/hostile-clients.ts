import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { connect, type Socket } from 'node:net';
import { connect as connectTls } from 'node:tls';
import type { Subscription } from 'rxjs';
import { Monitor } from '../../../src/core/monitor.js';
import type { Delivery } from '../../../src/delivery/delivery.js';
import type { Source } from '../../../src/delivery/source.js';

export const MiB = 1024 * 1024;

const lives: Subscription[] = [];
const sockets = new Set<Socket>();
const children = new Set<ChildProcess>();

/** To be called after each test. */
export function stopAll(): void {
  for (const life of lives.splice(0)) life.unsubscribe();
  hangUp();
  for (const child of children) child.kill('SIGKILL');
}

/** All clients in this process go away at once. */
export function hangUp(): void {
  for (const socket of sockets) socket.destroy();
  sockets.clear();
}

/** Runs a source that acks all it is given, until the end of the test; where it listens, and what came. */
export async function run<T>(make: (monitor: Monitor) => Source<Delivery<T>>) {
  const monitor = new Monitor();
  const values: T[] = [];
  const messages: string[] = [];
  const port = await new Promise<number>((resolve, reject) => {
    monitor.logEvents$.subscribe(({ what, message }) => {
      messages.push(message);
      // Of a unix socket there is none.
      if (what.endsWith('.listening')) resolve(Number(/:(\d+)\.$/.exec(message)?.[1] ?? 0));
    });
    const next = (delivery: Delivery<T>) => {
      values.push(delivery.value);
      delivery.ack();
    };
    lives.push(make(monitor).subscribe({ next, error: reject }));
  });
  return { port, values, messages, monitor };
}

/** A client by TCP, by TLS, or at the path of a unix socket. Resolves also where it was not let in. */
export async function dial(to: number | string, isTls = false): Promise<Socket> {
  const socket = isTls
    ? connectTls({ port: to as number, host: '127.0.0.1', rejectUnauthorized: false })
    : typeof to === 'string'
      ? connect(to)
      : connect({ port: to, host: '127.0.0.1' });
  sockets.add(socket);
  socket.on('error', () => undefined);
  socket.on('close', () => sockets.delete(socket));
  await new Promise<void>((resolve) => {
    socket.once(isTls ? 'secureConnect' : 'connect', resolve);
    socket.once('close', () => resolve());
  });
  return socket;
}

export async function isClosed(socket: Socket): Promise<boolean> {
  socket.resume();
  // Not `once`, which fails at an error.
  if (!socket.destroyed) await new Promise<void>((resolve) => socket.once('close', () => resolve()));
  return true;
}

/** The most that the process grows by meanwhile, in MiB. */
export async function growthOf(work: () => Promise<unknown>): Promise<number> {
  const before = process.memoryUsage().rss;
  let most = before;
  const looking = setInterval(() => {
    most = Math.max(most, process.memoryUsage().rss);
  }, 20);
  await work();
  clearInterval(looking);
  return (most - before) / MiB;
}

/** Sends so many bytes of one letter, or as many as the server takes before it closes. */
export async function flood(socket: Socket, total: number): Promise<void> {
  const chunk = Buffer.alloc(MiB, 0x61);
  for (let sent = 0; sent < total && !socket.destroyed; sent += chunk.length) {
    if (socket.write(chunk)) continue;
    await new Promise<void>((resolve) => socket.once('drain', resolve).once('close', () => resolve()));
  }
}

/** Waits for 10 s at most; whether it holds then. */
export async function holdsSoon(holds: () => boolean): Promise<boolean> {
  const end = performance.now() + 10_000;
  while (!holds()) {
    if (performance.now() > end) return false;
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
  return true;
}

/** 10,000, or as many as this process may have open with some to spare. */
export function manyConnections(): number {
  const [, open = '0'] = /Max open files\s+(\d+)/.exec(readFileSync('/proc/self/limits', 'utf8')) ?? [];
  return Math.min(10_000, Number(open) - 1_000);
}

const HOLD = `
  const { connect } = require('node:net');
  const [port, count] = process.argv.slice(1).map(Number);
  let open = 0;
  let started = 0;
  const dial = () => {
    if (started === count) return;
    started += 1;
    const socket = connect({ port, host: '127.0.0.1' });
    socket.on('error', () => undefined);
    socket.on('connect', () => {
      open += 1;
      if (open === count) process.stdout.write('held');
      dial();
    });
  };
  for (let n = 0; n < 200; n += 1) dial();
`;

/** Connections that another process opens and keeps, without a word. */
export async function holdConnections(port: number, count: number): Promise<void> {
  const child = spawn(process.execPath, ['-e', HOLD, String(port), String(count)], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  children.add(child);
  child.once('exit', () => children.delete(child));
  await once(child.stdout, 'data');
}
