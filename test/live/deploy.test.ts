import { execFileSync, spawn, spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it, jest } from '@jest/globals';
import { parseAllDocuments } from 'yaml';
import { KubernetesSchemas, type Manifest } from './kubernetes-schemas.js';
import { root, sleep } from './support.js';

jest.setTimeout(240_000);

const folder = mkdtempSync(join(tmpdir(), 'rxflume-deploy-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const has = (...programs: string[]) =>
  process.env.CI === 'true' || programs.every((program) => spawnSync('which', [program]).status === 0);

type Labels = Readonly<Record<string, string>>;
interface Selector {
  readonly matchLabels: Labels;
}
interface Container {
  readonly args: readonly string[];
  readonly ports: readonly { readonly containerPort: number }[];
  readonly securityContext: unknown;
  readonly resources: { readonly limits: unknown };
}
interface Workload {
  readonly replicas?: number;
  readonly selector: Selector;
  readonly strategy?: { readonly rollingUpdate: unknown };
  readonly template: {
    readonly metadata: { readonly labels: Labels };
    readonly spec: {
      readonly terminationGracePeriodSeconds: number;
      readonly securityContext: unknown;
      readonly automountServiceAccountToken: boolean;
      readonly topologySpreadConstraints: readonly { readonly labelSelector: Selector }[];
      readonly containers: readonly Container[];
    };
  };
}
interface Policy {
  readonly podSelector: Selector;
  readonly egress: readonly { readonly to?: readonly unknown[] }[];
}
interface Budget {
  readonly selector: Selector;
  readonly maxUnavailable: number;
}
interface ScaledObject {
  readonly scaleTargetRef: { readonly name: string };
  readonly triggers: readonly { readonly metadata: { readonly query: string } }[];
}

// Skipped only where Go is not installed, and never in CI.
(has('go') ? describe : describe.skip)('deploy/kubernetes', () => {
  const built = new Map<string, readonly Manifest[]>();
  let schemas: KubernetesSchemas;

  beforeAll(() => {
    const kustomize = join(process.env.RXFLUME_SERVICES_DIR ?? `${root}.services`, 'kustomize/kustomize');
    if (!existsSync(kustomize)) {
      const env = { ...process.env, GOBIN: join(kustomize, '..'), GOFLAGS: '' };
      execFileSync('go', ['install', 'sigs.k8s.io/kustomize/kustomize/v5@v5.7.1'], { env, stdio: 'pipe' });
    }
    schemas = new KubernetesSchemas();
    const build = (name: string, path: string) => {
      const text = execFileSync(kustomize, ['build', path], { encoding: 'utf8' });
      built.set(
        name,
        parseAllDocuments(text).map((document) => document.toJS() as Manifest),
      );
    };
    build('base', `${root}deploy/kubernetes/base`);
    for (const overlay of readdirSync(`${root}deploy/kubernetes/overlays`)) {
      build(overlay, `${root}deploy/kubernetes/overlays/${overlay}`);
    }
  });

  const all = <T>(name: string, kind: string) =>
    (built.get(name) ?? []).filter((document) => document.kind === kind) as readonly (Manifest & { spec: T })[];
  const only = <T>(name: string, kind: string) => {
    const [found, ...others] = all<T>(name, kind);
    if (found === undefined || others.length > 0) throw new Error(`${name} has not one ${kind}`);
    return found;
  };
  const overlays = readdirSync(`${root}deploy/kubernetes/overlays`);
  const workload = (name: string) =>
    only<Workload>(name, all(name, 'Deployment').length > 0 ? 'Deployment' : 'StatefulSet');

  it('is what Kubernetes, KEDA and the Prometheus operator take, with no field that they do not know', () => {
    for (const [name, documents] of built) {
      expect([name, documents.flatMap((document) => schemas.problems(document))]).toEqual([name, []]);
    }
    const wrong = structuredClone(only<Workload>('base', 'Deployment'));
    const pod = wrong.spec.template.spec;
    Object.assign(pod, { terminationGracePeriod: 75 });
    Object.assign(pod.containers[0]?.ports[0] ?? {}, { containerPort: 'metrics' });
    expect(schemas.problems(wrong).sort()).toEqual([
      expect.stringMatching(/template\/spec must NOT have additional properties .*terminationGracePeriod/),
      expect.stringMatching(/containers\/0\/ports\/0\/containerPort must be integer/),
    ]);
  });

  it.each(overlays)('selects its own pods, and no others: %s', (name) => {
    const { labels } = workload(name).spec.template.metadata;
    const { spec: policy } = only<Policy>(name, 'NetworkPolicy');
    const selectors = {
      workload: workload(name).spec.selector.matchLabels,
      service: only<{ selector: Labels }>(name, 'Service').spec.selector,
      budget: only<Budget>(name, 'PodDisruptionBudget').spec.selector.matchLabels,
      policy: policy.podSelector.matchLabels,
      spread: workload(name).spec.template.spec.topologySpreadConstraints[0]?.labelSelector.matchLabels,
    };
    for (const [what, selector] of Object.entries(selectors)) expect([what, selector]).toEqual([what, labels]);
    expect(labels['app.kubernetes.io/instance']).toBeDefined();
    // Kustomize adds labels to selectors of others too: DNS would be shut off.
    const peers = policy.egress.flatMap(({ to }) => to ?? []);
    expect(JSON.stringify(peers)).not.toContain('app.kubernetes.io');
  });

  it.each(overlays)('gives a pod the time to drain, and no more than one leaves at a time: %s', (name) => {
    const { spec, kind } = workload(name);
    const pod = spec.template.spec;
    const args = pod.containers[0]?.args ?? [];
    const drainMs = Number(args[args.indexOf('--drain-timeout') + 1]);
    expect(pod.terminationGracePeriodSeconds).toBeGreaterThanOrEqual(drainMs / 1_000 + 2 + 10);
    if (kind === 'Deployment') expect(spec.strategy?.rollingUpdate).toEqual({ maxSurge: 0, maxUnavailable: 1 });
    expect(only<Budget>(name, 'PodDisruptionBudget').spec.maxUnavailable).toBe(1);
  });

  it.each(overlays)('runs with no rights: %s', (name) => {
    const pod = workload(name).spec.template.spec;
    expect(pod.securityContext).toMatchObject({ runAsNonRoot: true, runAsUser: 65532 });
    expect(pod.automountServiceAccountToken).toBe(false);
    for (const container of pod.containers) {
      expect(container.securityContext).toEqual({
        allowPrivilegeEscalation: false,
        readOnlyRootFilesystem: true,
        capabilities: { drop: ['ALL'] },
      });
      expect(container.resources.limits).toEqual({ memory: expect.any(String) });
    }
  });

  it.each(overlays)('scales and watches the workload that it deploys: %s', (name) => {
    for (const { spec } of all<ScaledObject>(name, 'ScaledObject')) {
      expect(spec.scaleTargetRef.name).toBe(workload(name).metadata.name);
      expect(workload(name).spec.replicas).toBeUndefined();
      const instance = workload(name).metadata.labels?.['app.kubernetes.io/instance'];
      for (const { metadata } of spec.triggers) expect(metadata.query).toContain(`{job="${instance}"}`);
    }
    for (const { spec } of all<{ selector: Selector }>(name, 'ServiceMonitor')) {
      expect(spec.selector.matchLabels).toEqual(only(name, 'Service').metadata.labels);
    }
  });

  it('asks Prometheus for metrics that there are', () => {
    const catalog =
      readFileSync(`${root}src/metrics/catalog.ts`, 'utf8') + readFileSync(`${root}docs/reference/metrics.md`, 'utf8');
    const asked = [...JSON.stringify([...built.values()]).matchAll(/rxflume_\w+/g)].map(([metric]) => metric);
    expect(asked.length).toBeGreaterThan(0);
    for (const metric of asked) expect([metric, catalog.includes(metric)]).toEqual([metric, true]);
  });
});

(has('systemd-analyze', 'systemd-notify', 'python3') ? describe : describe.skip)('deploy/systemd', () => {
  it('is a unit without mistakes, whose exposure systemd calls low', () => {
    const unit = join(folder, 'rxflume@chat.service');
    const text = readFileSync(`${root}deploy/systemd/rxflume@.service`, 'utf8');
    writeFileSync(unit, text.replace('/usr/bin/node', process.execPath));
    const verified = spawnSync('systemd-analyze', ['verify', '--man=no', unit], { encoding: 'utf8' });
    expect([verified.status, verified.stderr]).toEqual([0, '']);
    const security = spawnSync('systemd-analyze', ['security', '--offline=true', '--threshold=20', unit], {
      encoding: 'utf8',
    });
    expect([security.status, security.stdout.split('\n').slice(-3)]).toEqual([0, expect.anything()]);
  });

  it('hears over a real socket that a flow is connected, moves, and drains', async () => {
    const socket = join(folder, 'notify');
    // Node has no datagram sockets of Unix. What systemd-notify passes along, to wait until it is read, is closed at once.
    const listen =
      'import array,os,socket,sys\n' +
      's=socket.socket(socket.AF_UNIX,socket.SOCK_DGRAM); s.bind(sys.argv[1])\n' +
      'print("ready",flush=True)\n' +
      'while True:\n' +
      ' d,a,_,_=s.recvmsg(4096,socket.CMSG_LEN(4))\n' +
      ' [os.close(f) for l,t,b in a for f in array.array("i",b)]\n' +
      ' print(d.decode().replace("\\n"," "),flush=True)\n';
    const systemd = spawn('python3', ['-c', listen, socket], { stdio: ['ignore', 'pipe', 'inherit'] });
    const heard: string[] = [];
    systemd.stdout.setEncoding('utf8').on('data', (text: string) => void heard.push(...text.trim().split('\n')));
    const until = async (what: RegExp) => {
      for (let waited = 0; waited < 30_000 && !heard.some((line) => what.test(line)); waited += 50) await sleep(50);
      expect(heard).toContainEqual(expect.stringMatching(what));
    };
    await until(/^ready$/);
    writeFileSync(join(folder, 'flow.ts'), ENDLESS);
    const env = { ...process.env, NOTIFY_SOCKET: socket, WATCHDOG_USEC: '1000000', NODE_OPTIONS: '' };
    const flow = spawn(process.execPath, ['--import', 'tsx', 'src/cli/main.ts', 'run', join(folder, 'flow.ts')], {
      cwd: root,
      env,
      stdio: 'ignore',
    });
    const ended = new Promise((resolve) => flow.once('exit', (code) => resolve(code)));
    try {
      await until(/^READY=1/);
      await until(/^WATCHDOG=1/);
      await until(/STATUS=endless .*in flight/);
      flow.kill('SIGTERM');
      expect(await ended).toBe(0);
      await until(/^STOPPING=1/);
      const order = ['READY=1', 'STOPPING=1'].map((text) => heard.findIndex((line) => line.startsWith(text)));
      expect(order).toEqual([...order].sort((a, b) => a - b));
    } finally {
      flow.kill('SIGKILL');
      systemd.kill('SIGKILL');
    }
  });
});

const ENDLESS = `import { consoleSink, flow } from '${root}src/index.js';
import { generateSource } from '${root}src/inputs/index.js';
import { stdio } from '${root}src/drivers/stdio/index.js';
export default flow('endless', generateSource((seq) => ({ seq }), { name: 'numbers', perSecond: 20 }), consoleSink(stdio()).write());
`;
