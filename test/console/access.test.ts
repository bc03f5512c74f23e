import { afterEach, beforeEach, describe, expect, it, jest } from '@jest/globals';
import { consoleApp } from '../../src/console/index.js';
import type { ConsoleAppOptions } from '../../src/console/options.js';
import { type FakeConsole, fakeConsole } from './steered-flow.js';

let open: FakeConsole[] = [];
beforeEach(() => void jest.useFakeTimers());
afterEach(() => {
  for (const { app } of open) app.end();
  open = [];
  jest.useRealTimers();
});

function begun(options?: ConsoleAppOptions): FakeConsole {
  const one = fakeConsole(options);
  open.push(one);
  return one;
}

const codeOf = async (response: Response) => [response.status, ((await response.json()) as { code: string }).code];
const cookieOf = (response: Response) => (response.headers.get('set-cookie') ?? '').split(';', 1)[0] as string;
const own = { origin: 'http://localhost:9465', 'sec-fetch-site': 'same-origin' };

async function loggedIn({ app, ask }: FakeConsole): Promise<string> {
  const token = app.link().replace('#token=', '');
  return cookieOf(await ask('api/session', { method: 'POST', json: { token }, headers: own, isStranger: true }));
}

describe('a session', () => {
  it('begins with a link, once, and has a cookie that no script and no other site gets', async () => {
    const { app, ask } = begun();
    const token = app.link().replace('#token=', '');
    const login = { method: 'POST', json: { token }, headers: own, isStranger: true };
    const first = await ask('api/session', login);
    expect(first.status).toBe(204);
    expect(first.headers.get('set-cookie')).toMatch(
      /^rxflume-console-9465=[\w-]{43}; Path=\/; HttpOnly; SameSite=Strict$/,
    );
    expect(await codeOf(await ask('api/session', login))).toEqual([401, 'RXF_CONSOLE_SESSION']);
    const headers = { cookie: `other=1; ${cookieOf(first)}` };
    expect((await ask('api/snapshot', { headers, isStranger: true })).status).toBe(200);
    // Another program on this machine, of another port, gets its own cookie name.
    expect(
      (await ask('api/snapshot', { headers: { cookie: cookieOf(first).replace('9465', '9466') }, isStranger: true }))
        .status,
    ).toBe(401);
  });

  it('does not begin with a wrong token, and nothing below api is shown without one', async () => {
    const { ask } = begun();
    const wrong = { method: 'POST', json: { token: 'x'.repeat(43) }, headers: own, isStranger: true };
    expect(await codeOf(await ask('api/session', wrong))).toEqual([401, 'RXF_CONSOLE_SESSION']);
    for (const path of [
      'api/snapshot',
      'api/history',
      'api/stream',
      'api/why?stream=a&offset=1',
      'api/taps/a',
      'api/none',
    ]) {
      expect(await codeOf(await ask(path, { isStranger: true }))).toEqual([401, 'RXF_CONSOLE_SESSION']);
    }
    const bearer = { authorization: `Bearer ${'x'.repeat(43)}` };
    expect((await ask('api/snapshot', { headers: bearer })).status).toBe(401);
    expect((await ask('api/snapshot')).status).toBe(200);
  });

  it('is over when it is ended, after 12 hours without a request, and when 100 others were begun after it', async () => {
    const one = begun();
    const cookie = await loggedIn(one);
    const status = async (of: string) =>
      (await one.ask('api/snapshot', { headers: { cookie: of }, isStranger: true })).status;
    jest.advanceTimersByTime(11 * 3_600_000);
    expect(await status(cookie)).toBe(200);
    jest.advanceTimersByTime(13 * 3_600_000);
    expect(await status(cookie)).toBe(401);
    const second = await loggedIn(one);
    const out = await one.ask('api/session', {
      method: 'DELETE',
      headers: { cookie: second, ...own },
      isStranger: true,
    });
    expect([out.status, out.headers.get('set-cookie')]).toEqual([204, expect.stringContaining('Max-Age=0')]);
    expect(await status(second)).toBe(401);
    const third = await loggedIn(one);
    for (let at = 0; at < 100; at += 1) await loggedIn(one);
    expect(await status(third)).toBe(401);
  });

  it('begins with the password too, which 10 wrong ones a minute lock for a minute, and open sessions go on', async () => {
    const one = begun({ password: 'correct horse' });
    const login = (password: string) =>
      one.ask('api/session', { method: 'POST', json: { password }, headers: own, isStranger: true });
    const cookie = cookieOf(await login('correct horse'));
    for (let at = 0; at < 10; at += 1) expect((await login(`wrong ${at}`)).status).toBe(401);
    const locked = await login('correct horse');
    expect([locked.status, locked.headers.get('retry-after')]).toEqual([429, '60']);
    expect((await one.ask('api/snapshot', { headers: { authorization: 'Bearer correct-horse' } })).status).toBe(429);
    expect((await one.ask('api/snapshot', { headers: { cookie }, isStranger: true })).status).toBe(200);
    expect((await one.ask('api/snapshot')).status).toBe(200);
    jest.advanceTimersByTime(60_000);
    expect((await login('correct horse')).status).toBe(204);
  });

  it('is not needed where a proxy says whom it has let in', async () => {
    const { ask } = begun({ trustedHeader: 'x-forwarded-user' });
    const asked = (headers: Record<string, string>) => ask('api/snapshot', { headers, isStranger: true });
    expect((await asked({ 'x-forwarded-user': 'ann' })).status).toBe(200);
    expect((await asked({ 'x-forwarded-user': '' })).status).toBe(401);
    expect(
      (await begun().ask('api/snapshot', { headers: { 'x-forwarded-user': 'ann' }, isStranger: true })).status,
    ).toBe(401);
  });
});

describe('another site', () => {
  it('does not reach the console by a name that resolves to this machine', async () => {
    const { ask } = begun();
    for (const host of ['evil.example', 'evil.example:9465', 'localhost.evil.example', '127.0.0.1.nip.io:9465', '']) {
      expect(await codeOf(await ask('api/snapshot', { headers: { host } }))).toEqual([403, 'RXF_CONSOLE_ORIGIN']);
      expect((await ask('', { headers: { host } })).status).toBe(403);
    }
    for (const host of ['127.0.0.1:9465', '[::1]:9465', 'LOCALHOST']) {
      expect((await ask('api/snapshot', { headers: { host } })).status).toBe(200);
    }
    const named = begun({ hosts: ['collector.internal'] });
    expect((await named.ask('api/snapshot', { headers: { host: 'collector.internal:8080' } })).status).toBe(200);
    expect((await named.ask('api/snapshot')).status).toBe(403);
  });

  it('gets no command through the browser of who is logged in', async () => {
    const one = begun();
    const cookie = await loggedIn(one);
    const pause = (headers: Record<string, string>) =>
      one.ask('api/flows/chat/pause', {
        method: 'POST',
        json: { confirm: true },
        headers: { cookie, ...headers },
        isStranger: true,
      });
    const foreign: Record<string, string>[] = [
      { origin: 'http://evil.example' },
      { origin: 'http://localhost:3000' },
      { origin: 'null' },
      { 'sec-fetch-site': 'cross-site' },
      { 'sec-fetch-site': 'same-site' },
      { 'sec-fetch-site': 'none' },
      { ...own, origin: 'http://evil.example' },
    ];
    for (const headers of foreign) expect(await codeOf(await pause(headers))).toEqual([403, 'RXF_CONSOLE_ORIGIN']);
    // A cookie alone proves nothing where the browser does not say which page asks.
    expect(await codeOf(await pause({}))).toEqual([401, 'RXF_CONSOLE_SESSION']);
    expect(one.control.asked).toEqual([]);
    expect((await pause(own)).status).toBe(200);
    expect(one.control.asked).toEqual(['pause']);
  });

  it('reads nothing, and may not frame the page', async () => {
    const one = begun();
    const cookie = await loggedIn(one);
    for (const site of ['cross-site', 'same-site']) {
      expect(
        (await one.ask('api/snapshot', { headers: { cookie, 'sec-fetch-site': site }, isStranger: true })).status,
      ).toBe(403);
    }
    for (const response of [await one.ask(''), await one.ask('api/snapshot'), await one.ask('api/none')]) {
      const { headers } = response;
      expect(headers.get('content-security-policy')).toMatch(/default-src 'none'.*frame-ancestors 'none'/);
      expect(headers.get('content-security-policy')).not.toMatch(/unsafe|\*/);
      expect([headers.get('x-content-type-options'), headers.get('cache-control')]).toEqual(['nosniff', 'no-store']);
      expect([...headers.keys()].filter((name) => name.startsWith('access-control'))).toEqual([]);
    }
  });
});

describe('a request', () => {
  it('has a bounded body of JSON', async () => {
    const { ask } = begun();
    const post = (json: unknown, headers = {}) => ask('api/taps', { method: 'POST', json, headers });
    expect((await post({ flow: 'x'.repeat(70_000) })).status).toBe(413);
    expect((await post({}, { 'content-type': 'text/plain' })).status).toBe(415);
    expect(await (await post('[1]')).json()).toMatchObject({
      code: 'RXF_CONSOLE_REQUEST',
      message: expect.stringContaining('a JSON object'),
    });
    expect((await post('{')).status).toBe(400);
    expect((await post({ flow: 'chat', edge: -1 })).status).toBe(400);
    expect((await post({ flow: 'none', edge: 0 })).status).toBe(404);
  });

  it('is of a known path and method', async () => {
    const { ask } = begun();
    const wrong = await ask('api/snapshot', { method: 'POST', json: {} });
    expect([wrong.status, wrong.headers.get('allow')]).toEqual([405, 'GET']);
    expect((await ask('api/nothing')).status).toBe(404);
    for (const path of [
      'assets/none.js',
      'assets/..%2f..%2foptions.ts',
      'favicon.ico',
      'assets/__proto__',
      'assets/constructor',
    ]) {
      expect((await ask(path)).status).toBe(404);
    }
    expect((await ask('', { isStranger: true })).headers.get('content-type')).toBe('text/html; charset=utf-8');
    const mounted = await ask('ops/console', { isStranger: true });
    expect([mounted.status, mounted.headers.get('location')]).toEqual([308, 'console/']);
    expect((await ask('ops/console/api/snapshot')).status).toBe(200);
  });
});

describe('the options', () => {
  it('are checked at the call, and a password is not shown', () => {
    const failure = (options: unknown) => {
      try {
        consoleApp(options as ConsoleAppOptions).end();
      } catch (error) {
        return (error as Error).message;
      }
      return undefined;
    };
    expect(failure({ password: 'short' })).toMatch(/`password`.*8 characters/);
    expect(failure({ password: 'short' })).not.toMatch(/short/);
    expect(failure({ hosts: [] })).toMatch(/`hosts`/);
    expect(failure({ peers: ['ftp://a'] })).toMatch(/`peers`/);
    expect(failure({ trustedHeader: 'a b' })).toMatch(/`trustedHeader`/);
    expect(failure({ readonly: true })).toMatch(/`readonly`/);
    expect(failure({ readOnly: undefined, name: undefined, password: undefined })).toBeUndefined();
  });
});
