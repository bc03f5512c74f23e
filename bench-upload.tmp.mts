import http from 'node:http';
import { BodyStream } from './src/drivers/webhdfs/body-stream.ts';
import { fork } from 'node:child_process';
import { firstValueFrom, from } from 'rxjs';
import { webhdfs } from './src/drivers/webhdfs/index.ts';
if (process.argv[2] === 'sink') {
  let held = 0;
  http.createServer((q, r) => { const op = new URL(q.url!, 'http://x').searchParams.get('op');
    if (op === 'CREATE' && q.url!.includes('noredirect')) return void r.end(JSON.stringify({ Location: `http://${q.headers.host}/webhdfs/v1/f?op=PUT` }));
    if (op === 'PUT') { let n = 0; q.on('data', (d) => { n += d.length }).on('end', () => { held = n; r.writeHead(201).end() }); return; }
    if (op === 'MKDIRS') return void r.end('{"boolean":true}');
    if (op === 'GETFILESTATUS' && held) { r.end(JSON.stringify({ FileStatus: { type: 'FILE', length: held, modificationTime: 1 } })); held = 0; return }
    r.writeHead(404).end(JSON.stringify({ RemoteException: { exception: 'FileNotFoundException', message: 'x' } }));
  }).listen(0, '127.0.0.1', function (this: any) { process.send!(this.address().port) });
} else {
  const child = fork(process.argv[1]!, ['sink'], { execArgv: process.execArgv });
  const port: number = await new Promise((r) => child.once('message', r as any));
  const url = `http://127.0.0.1:${port}`;
  const total = 512 * 1024 * 1024;
  for (const size of [16, 64, 256, 1024].map((k) => k * 1024)) {
    const chunk = Buffer.alloc(size, 1);
    const raw = await new Promise<number>((done) => { const t = performance.now(); const q = http.request(`${url}/x?op=PUT`, { method: 'PUT', agent: false }, (r) => r.resume().on('end', () => done(performance.now() - t)));
      let n = 0; const go = () => { while (n < total) { n += size; if (!q.write(chunk)) return void q.once('drain', go) } q.end() }; go(); });
    const fs = webhdfs({ nameNodes: [url] });
    const t = performance.now(); const w = fs.create('/f');
    for (let n = 0; n < total; n += size) await firstValueFrom(from(w.write(chunk)));
    await firstValueFrom(from(w.close()));
    const ours = performance.now() - t;
    console.log(`${size / 1024} KiB chunks: raw ${(total / 1e3 / raw).toFixed(0)} MB/s, driver ${(total / 1e3 / ours).toFixed(0)} MB/s`);
  }
  child.kill();
}
