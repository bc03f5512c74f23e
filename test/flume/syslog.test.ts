import { describe, expect, it } from '@jest/globals';
import { OptionError } from 'rxflume';
import { syslogEvent } from 'rxflume/flume';

const read = (text: string, timestamp?: number, options = {}) => {
  const { headers, body } = syslogEvent(options)({ raw: Buffer.from(text), timestamp });
  return [headers, Buffer.from(body).toString()];
};

describe('syslogEvent', () => {
  it('has the fields of RFC 5424 as headers, and what is behind the host as body', () => {
    expect(read('<165>1 2026-11-20T10:00:00Z web2 app 12 ID1 [x a="b"] text', 5)).toEqual([
      { Facility: '20', Severity: '5', priority: '165', version: '1', timestamp: '5', host: 'web2' },
      'app 12 ID1 [x a="b"] text',
    ]);
    expect(read('<165>1 - - app - - - text')).toEqual([
      { Facility: '20', Severity: '5', priority: '165', version: '1' },
      'app - - - text',
    ]);
  });

  it('has those of RFC 3164, the tag in the body', () => {
    const [headers, body] = read('<34>Nov  5 01:02:03 web1 su[1]: failed', 7);
    expect(headers).toEqual({ Facility: '4', Severity: '2', priority: '34', timestamp: '7', host: 'web1' });
    expect(body).toBe('su[1]: failed');
  });

  it.each([
    ['no priority', { Facility: '0', Severity: '0', 'flume.syslog.status': 'Invalid' }],
    ['<1234>four digits', { Facility: '0', Severity: '0', 'flume.syslog.status': 'Invalid' }],
    ['<14>no form', { Facility: '1', Severity: '6' }],
  ])('keeps all of %s', (text, headers) => {
    expect(read(text)).toEqual([headers, text]);
  });

  it('marks what is longer than it may be', () => {
    const { headers } = syslogEvent()({ raw: Buffer.from('<14>cut'), timestamp: undefined, isTruncated: true });
    expect(headers['flume.syslog.status']).toBe('Incomplete');
  });

  it('puts fields back, in the order of the message', () => {
    const keepFields = ['hostname', 'timestamp', 'version', 'priority'];
    expect(read('<13>1 2026-11-20T10:00:00Z h text', 1, { keepFields })[1]).toBe('<13>1 2026-11-20T10:00:00Z h text');
    expect(read('<13>1 - - text', 1, { keepFields: ['hostname'] })[1]).toBe('- text');
    expect(read('<13>1 - - text', 1, { body: 'raw' })[1]).toBe('<13>1 - - text');
  });

  it('has other names, and other rules, on several ports', () => {
    const options = { source: 'multiport_syslogtcp' };
    const local = new Date(2026, 10, 5, 1, 2, 3).getTime();
    expect(read('<34>Nov  5 01:02:03 web1 text', local, options)[0]).toEqual({
      ...{ Facility: '4', Severity: '2', Priority: '34', host: 'web1' },
      timestamp: String(Date.UTC(2026, 10, 5, 1, 2, 3)),
    });
    expect(read('<34>free text', undefined, options)[0]).toEqual({ 'flume.syslog.status': 'Invalid' });
    expect(read('<13>1 - - text', undefined, options)[0]).toMatchObject({
      Version: '1',
      host: '-',
      timestamp: expect.any(String),
    });
  });

  it('checks its options', () => {
    expect(() => syslogEvent({ keepFields: ['host' as 'hostname'] })).toThrow(OptionError);
    expect(() => syslogEvent({ body: 'all' as 'raw' })).toThrow(OptionError);
  });
});
