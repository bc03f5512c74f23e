import { describe, expect, it } from '@jest/globals';
import type { Call, Reply } from '../../../src/drivers/webhdfs/call.js';
import { DelegationTokens } from '../../../src/drivers/webhdfs/delegation-tokens.js';
import { webhdfs } from '../../../src/drivers/webhdfs/index.js';

function setting(leftMs = 60_000) {
  const calls: string[] = [];
  const ask = async ({ op, query }: Call): Promise<Reply> => {
    calls.push(op);
    await new Promise((resolve) => setTimeout(resolve, 1));
    const got = calls.filter((call) => call === 'GETDELEGATIONTOKEN').length;
    if (op === 'GETDELEGATIONTOKEN') expect(query).toEqual({ renewer: 'flume@R' });
    else expect(query?.token).toMatch(/^token-\d$/);
    const now = Date.now();
    const body =
      op === 'GETDELEGATIONTOKEN'
        ? { Token: { urlString: `token-${got}` } }
        : { long: Math.floor(now / 1_000) * 1_000 + 1_000 + leftMs };
    const answer = {
      status: 200,
      headers: { date: new Date(now).toUTCString() },
      body: Buffer.from(JSON.stringify(body)),
    };
    return {
      answer,
      remote: null,
      doubted: false,
      attempt: { doing: 'x', path: '/', at: 'http://nn', user: undefined },
    };
  };
  return { calls, tokens: new DelegationTokens(ask, 'flume@R') };
}

describe('the delegation token of a driver', () => {
  it('is got once for all who ask at the same time', async () => {
    const { calls, tokens } = setting();
    const all = await Promise.all([tokens.current(), tokens.current(), tokens.current()]);
    expect(all).toEqual(['token-1', 'token-1', 'token-1']);
    expect(await tokens.current()).toBe('token-1');
    expect(calls).toEqual(['GETDELEGATIONTOKEN', 'RENEWDELEGATIONTOKEN']);
  });

  it('is replaced once where a server rejects it, however many say so', async () => {
    const { tokens } = setting();
    expect(await tokens.current()).toBe('token-1');
    tokens.reject('token-1');
    expect(await tokens.current()).toBe('token-2');
    tokens.reject('token-1');
    expect(await tokens.current()).toBe('token-2');
  });

  it('is renewed while nobody asks, and replaced once it has expired', async () => {
    const { calls, tokens } = setting(40);
    await tokens.current();
    await new Promise((resolve) => setTimeout(resolve, 150));
    expect(calls.filter((call) => call === 'RENEWDELEGATIONTOKEN').length).toBeGreaterThan(1);
    const expired = setting(0);
    expect(await expired.tokens.current()).toBe('token-1');
    expect(await expired.tokens.current()).toBe('token-2');
  });
});

describe('the options that log in', () => {
  it('are rejected where they contradict each other, or would be sent in plain text', () => {
    const nameNodes = ['http://nn1:9870'];
    expect(() => webhdfs({ nameNodes, authorization: 'Bearer s3cret-of-knox' })).toThrow(
      /https URLs, since `authorization` is given/,
    );
    const kerberos = { principal: 'flume@R' };
    expect(() => webhdfs({ nameNodes, kerberos, delegationToken: 'x' })).toThrow(/given without `delegationToken`/);
    expect(() => webhdfs({ nameNodes, kerberos: { principal: 'flume@R', keytab: '/no/such.keytab' } })).toThrow(
      /a file that exists/,
    );
  });

  it('say how to install the package that is missing', () => {
    const kerberos = { principal: 'flume@R' };
    const missing = { code: 'RXF_DRIVER_MISSING', message: expect.stringContaining('npm install kerberos@^7.0.0') };
    expect(() => webhdfs({ nameNodes: ['https://nn1:9871'], kerberos })).toThrow(expect.objectContaining(missing));
  });
});
