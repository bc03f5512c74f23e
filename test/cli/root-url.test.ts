import { describe, expect, it } from '@jest/globals';
import { readRoot } from '../../src/cli/root-url.js';

describe('readRoot', () => {
  it.each([
    ['/srv/lake', '/srv/lake'],
    ['/srv/lake//', '/srv/lake'],
    ['lake', '/home/me/lake'],
    ['../lake', '/home/lake'],
    ['.', '/home/me'],
    ['/', ''],
    ['file:///srv/a%20lake/', '/srv/a lake'],
    ['file://localhost/srv/lake', '/srv/lake'],
  ])('takes %s for a folder of this machine', (text, path) => {
    expect(readRoot(text, 'webhdfs', '/home/me')).toEqual({ kind: 'disk', path });
  });

  it.each([
    ['webhdfs://nn1:9870/lake/chat', ['http://nn1:9870'], '/lake/chat'],
    ['webhdfs://nn1:9870,nn2.example:9871/lake/', ['http://nn1:9870', 'http://nn2.example:9871'], '/lake'],
    ['swebhdfs://nn1:1/lake', ['https://nn1:1'], '/lake'],
    ['webhdfs://nn1,nn2/lake', ['http://nn1:9870', 'http://nn2:9870'], '/lake'],
    ['swebhdfs://nn1/lake', ['https://nn1:9871'], '/lake'],
    ['webhdfs://[::1]:9870/lake', ['http://[::1]:9870'], '/lake'],
    ['webhdfs://nn1:9870', ['http://nn1:9870'], ''],
    ['webhdfs://nn1:9870/', ['http://nn1:9870'], ''],
    ['webhdfs://nn1/a%20lake/dt=1', ['http://nn1:9870'], '/a%20lake/dt=1'],
  ])('takes %s for a folder of HDFS, its path as it is written', (text, nameNodes, path) => {
    expect(readRoot(text, 'webhdfs', '/')).toEqual({ kind: 'hdfs', nameNodes, path });
  });

  it("takes HttpFS's port where the mode is httpfs and none is given", () => {
    expect(readRoot('webhdfs://gate/lake', 'httpfs', '/')).toMatchObject({ nameNodes: ['http://gate:14000'] });
    expect(readRoot('webhdfs://gate:80/lake', 'httpfs', '/')).toMatchObject({ nameNodes: ['http://gate:80'] });
  });

  it.each([
    ['', 'expected the root of a file sink'],
    ['hdfs://nn1:8020/lake', 'webhdfs://namenode:9870/path'],
    ['http://nn1:9870/lake', 'give it as webhdfs://host:port/path'],
    ['https://nn1:9871/lake', 'give it as swebhdfs://host:port/path'],
    ['s3a://bucket/lake', 'got s3a://'],
    ['constructor://a/b', 'got constructor://'],
    ['file://other/lake', 'expected a file URL of this machine'],
    ['webhdfs:///lake', 'got the host ``'],
    ['webhdfs://nn1:9870,,nn2/lake', 'got the host ``'],
    ['webhdfs://nn1:port/lake', 'got the host `nn1:port`'],
    ['webhdfs://nn1/lake/../other', 'without `.` and `..`'],
    ['webhdfs://nn1/lake?user.name=me', 'expected no `?` or `#`'],
  ])('says what is wrong with %j', (text, message) => {
    expect(() => readRoot(text, 'webhdfs', '/')).toThrow(message);
  });

  it('never shows what is before an @', () => {
    expect(() => readRoot('webhdfs://me:secret@nn1/lake', 'webhdfs', '/')).toThrow(/^(?!.*secret).*`--user`/);
  });
});
