import { describe, expect, it } from '@jest/globals';
import { describeError } from '../../src/core/errors.js';
import { secretsOf, withoutSecrets } from '../../src/core/secrets.js';
import { leastCpuMs } from '../support/cpu-time.js';

const S = 'S3CR3T+pw/0rd==';

describe('withoutSecrets', () => {
  it.each([
    [`http://h/x?op=OPEN&delegation=${S}&y=1`, 'http://h/x?op=OPEN&delegation=***&y=1'],
    [`?access_token=${S}`, '?access_token=***'],
    [`?X-Amz-Signature=${S}&X-Amz-Security-Token=${S}`, '?X-Amz-Signature=***&X-Amz-Security-Token=***'],
    [`sasl password=${S}, user=me`, 'sasl password=***, user=me'],
    [`apiKey=${S} api_key=${S}`, 'apiKey=*** api_key=***'],
    [`amqp://me:p@ss:${S.replace('/', '')}@h:5672/v`, 'amqp://***@h:5672/v'],
    [`https://token@h/x`, 'https://***@h/x'],
    [`{"clientSecret":"${S}","user":"me"}`, '{"clientSecret":"***","user":"me"}'],
    [`{"password": "with \\" quote ${S}"}`, '{"password": "***"}'],
    [`Authorization: Basic ${S}`, 'Authorization: ***'],
    [`sent authorization=Bearer ${S}`, 'sent authorization=Bearer ***'],
    [`{"authorization":"Basic ${S}","x":1}`, '{"authorization":"***","x":1}'],
    [`got Bearer ${S} back`, 'got Bearer *** back'],
    [`Set-Cookie: hadoop.auth="u=me&s=${S}"`, 'Set-Cookie: ***'],
  ])('%s', (text, shown) => {
    expect(withoutSecrets(text)).toBe(shown);
    expect(withoutSecrets(withoutSecrets(text))).toBe(withoutSecrets(text));
  });

  it('leaves what is no secret', () => {
    for (const text of [
      'Unexpected token } in JSON at position 3',
      'kafka://b1:9092 answered NOT_LEADER, offset=12, key=abc',
      'write to me@example.com, or see https://h/a@b',
      'The design signature was basic knowledge',
    ]) {
      expect(withoutSecrets(text)).toBe(text);
    }
  });

  it('takes known secrets out wherever they are, also as a URL has them', () => {
    expect(withoutSecrets(`token (${S}) and ${encodeURIComponent(S)}`, [S])).toBe('token (***) and ***');
    expect(withoutSecrets('nothing', ['', 'no'])).toBe('nothing');
    const url = new URL(`http://h/x?op=OPEN&delegation=${encodeURIComponent(S)}&user.name=me`);
    expect(secretsOf(url)).toEqual([S]);
  });

  it('ends in no time, whatever comes', async () => {
    const search = () => {
      for (const part of ['token', 'a-', '"password":"', '://x', 'Basic ', '\\"']) withoutSecrets(part.repeat(2_000));
    };
    expect(await leastCpuMs(2_000, search)).toBeLessThan(2_000);
  });

  it('is what every described error goes through', () => {
    expect(describeError(new Error(`GET http://me:${S.replace('/', '')}@h/?token=${S} failed`))).toBe(
      'GET http://***@h/?token=*** failed',
    );
  });
});
