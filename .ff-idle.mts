import { webhdfs } from './src/drivers/webhdfs/index.ts';
import { firstValueFrom as f, from } from 'rxjs';
const fs = webhdfs({ nameNodes: ['http://127.0.0.1:19870'], user: 'flume', idleTimeoutMs: 5000 });
const g = (x: any) => f(from(x)) as Promise<any>;
const chunk = Buffer.alloc(1 << 18, 7);
{ const t = performance.now(); const w = fs.create('/lake/ff-idle/big'); for (let n = 0; n < 2048; n++) await g(w.write(chunk)); const r = await g(w.close()); console.log('512 MiB to real HDFS', r, (512 * 1.048576 / ((performance.now() - t) / 1000)).toFixed(0), 'MB/s'); }
{ let t = performance.now(); for (let n = 0; n < 20; n++) { const w = fs.create('/lake/ff-idle/s' + n); await g(w.write(Buffer.from('x'))); await g(w.close()); } console.log('create+close of a small file', ((performance.now() - t) / 20).toFixed(0), 'ms'); }
const w = fs.create('/lake/ff-idle/slow'); await g(w.write(chunk)); await new Promise((r) => setTimeout(r, 80_000)); await g(w.write(chunk)); console.log('after 80 s idle', await g(w.close()));
await g(fs.remove('/lake/ff-idle'));
