// rxflume as the receiver: acks what agents send at once, and prints what it used when it has all.
import { flumeSource } from 'rxflume';
import { avroRpcServer } from 'rxflume/drivers/avro-rpc';

const [port = '', count = ''] = process.argv.slice(2);
let values = 0;
let startedAt = 0;
let cpuBefore = process.cpuUsage();
flumeSource(avroRpcServer({ port: Number(port), host: '127.0.0.1' }), { name: 'bench' }).subscribe({
  next: (delivery) => {
    if (values === 0) {
      startedAt = performance.now();
      cpuBefore = process.cpuUsage();
    }
    values += 1;
    delivery.ack();
    if (values < Number(count)) return;
    const cpu = process.cpuUsage(cpuBefore);
    const seconds = (performance.now() - startedAt) / 1_000;
    console.log(JSON.stringify({ events: values, seconds, cpuSeconds: (cpu.user + cpu.system) / 1e6 }));
  },
  error: (error) => {
    console.error(error);
    process.exit(1);
  },
});
