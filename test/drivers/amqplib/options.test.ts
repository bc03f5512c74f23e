import { describe, expect, it } from '@jest/globals';
import { type AmqplibOptions, amqplib } from '../../../src/drivers/amqplib/index.js';
import { checkOptions } from '../../../src/drivers/amqplib/options.js';

const url = 'amqp://mq1:5672/orders';

describe('the options of amqplib', () => {
  it('take brokers, a virtual host and who we are from the URLs, or from beside them', () => {
    const options = checkOptions({
      urls: ['amqp://ann:s%2Fesame@mq1/a%2Fb', 'amqps://mq2:5/a%2Fb'],
      password: 'other',
    });
    expect(options.brokers).toMatchObject([
      { name: 'mq1:5672', host: 'mq1', port: 5672, isTls: false, vhost: 'a/b', user: 'ann' },
      { name: 'mq2:5', host: 'mq2', port: 5, isTls: true, vhost: 'a/b', user: 'guest' },
    ]);
    expect(options.brokers.map(({ password }) => password.value())).toEqual(['other', 'other']);
    expect(checkOptions({ urls: ['amqp://[::1]'], vhost: 'v' }).brokers[0]).toMatchObject({
      name: '[::1]:5672',
      host: '::1',
      vhost: 'v',
      user: 'guest',
    });
    expect(checkOptions({ urls: ['amqp://mq1'] }).brokers[0]?.password.value()).toBe('guest');
    expect(checkOptions({ urls: ['amqp://mq1/'] }).vhost).toBe('/');
  });

  it('name the driver without user and password', () => {
    const driver = amqplib({ urls: ['amqp://ann:sesame@mq1:1/orders', 'amqp://ann:sesame@mq2:2'], vhost: 'orders' });
    expect(driver.name).toBe('amqp mq1:1,mq2:2/orders');
    expect(driver.addresses).toEqual(['mq1:1/orders', 'mq2:2/orders']);
    expect(amqplib({ urls: ['amqp://mq1:1'] }).name).toBe('amqp mq1:1/');
  });

  it.each<[string, Partial<Record<keyof AmqplibOptions | 'hosts', unknown>>, RegExp]>([
    ['no URL', { urls: [] }, /`urls` to be a list/],
    ['one text', { urls: url }, /`urls` to be a list/],
    ['HTTP', { urls: ['http://mq1'] }, /`urls\[0\]`/],
    ['no URL at all', { urls: [url, 'mq2:5672'] }, /`urls\[1\]`/],
    ['a query', { urls: [`${url}?heartbeat=5`] }, /`urls\[0\]` to be without `\?…`/],
    ['two virtual hosts', { urls: [url, 'amqp://mq2/other'] }, /`urls` to be brokers of one virtual host/],
    ['another virtual host', { urls: [url], vhost: 'other' }, /`urls\[0\]` to be without a virtual host/],
    ['an unknown option', { urls: [url], hosts: [] }, /known options .*got `hosts`/],
    ['no time', { urls: [url], connectTimeoutMs: 0 }, /`connectTimeoutMs`/],
    ['no heartbeat', { urls: [url], heartbeatSeconds: 0 }, /`heartbeatSeconds`/],
    ['a small frame', { urls: [url], maxFrameBytes: 4_096 }, /`maxFrameBytes`/],
    ['no channel', { urls: [url], channelsPerConnection: 0 }, /`channelsPerConnection`/],
    ['no message', { urls: [url], maxMessageBytes: 0 }, /`maxMessageBytes`/],
    ['an empty password', { urls: [url], password: '' }, /`password`/],
    ['TLS that is none', { urls: [url], tls: true }, /`tls`/],
  ])('reject %s', (_, options, message) => {
    expect(() => amqplib(options as unknown as AmqplibOptions)).toThrow(message);
  });

  it.each([
    'amqp://ann:sesame@',
    'amqp://ann:sesame@mq1?x=1',
    'ann:sesame@mq1',
    'amqp://ann:ses%ame@mq1',
    'amqp://ann:sesame@mq1:99999',
  ])('show no secret of %s', (secret) => {
    let message = '';
    try {
      amqplib({ urls: [secret] });
    } catch (error) {
      message = `${(error as Error).message} ${JSON.stringify((error as { details?: unknown }).details)}`;
    }
    expect(message).toMatch(/urls\[0\]/);
    expect(message).not.toMatch(/ses|ann/);
  });
});
