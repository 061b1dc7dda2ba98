import { readdirSync } from 'node:fs';
import { mkdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { waitFor } from '../sandbox/condition.ts';
import { Container } from './container.ts';
import type { ComposeFile, Service } from './file.ts';
import type { ImageRoot } from './local-images.ts';
import { Network } from './network.ts';

// A busy machine starts the servers one after the other.
const waitMs = 900_000;

/** The services of the compose file, started in the order of their `depends_on`. */
export class Stack {
  readonly containers = new Map<string, Container>();
  readonly #file: ComposeFile;
  readonly #images: ReadonlyMap<string, ImageRoot>;
  readonly #network: Network;
  readonly #folder: string;

  private constructor(
    file: ComposeFile,
    parts: { images: ReadonlyMap<string, ImageRoot>; network: Network; folder: string },
  ) {
    this.#file = file;
    this.#images = parts.images;
    this.#network = parts.network;
    this.#folder = parts.folder;
  }

  /** This process must have namespaces of its own for the network, mounts and process ids. The folder must be empty. */
  static async open(
    file: ComposeFile,
    { images, folder }: { readonly images: ReadonlyMap<string, ImageRoot>; readonly folder: string },
  ): Promise<Stack> {
    await mkdir(join(folder, '.volumes'));
    return new Stack(file, { images, network: await Network.open(file.subnet), folder });
  }

  /** As `docker compose up --wait`: resolves when every service runs, and is healthy if it has a health check. */
  async up({ profile }: { readonly profile?: string } = {}): Promise<void> {
    const services = [...this.#file.services.values()].filter(
      (one) => one.profile === undefined || one.profile === profile,
    );
    const added = services.filter(({ name }) => !this.containers.has(name));
    for (const service of added) {
      if (service.net.kind === 'own') await this.#network.addHost(service.name, service.net.address);
      this.containers.set(service.name, await this.#create(service));
    }
    await Promise.all(added.map((service) => this.#startInOrder(service)));
    for (const { net, ports } of added) {
      for (const port of ports) if (net.kind === 'own') await this.#network.publish(port, net.address);
    }
    await Promise.all(services.map(({ name }) => this.untilReady(name)));
  }

  container(name: string): Container {
    const container = this.containers.get(name);
    if (container === undefined) throw new Error(`there is no container ${name}`);
    return container;
  }

  async untilReady(name: string): Promise<void> {
    const container = this.container(name);
    await waitFor(
      `${name} to be ready`,
      async () => ({ ready: container.ready, health: container.health, starts: container.starts }),
      {
        timeoutMs: waitMs,
        intervalMs: 100,
        until: ({ ready }) => ready,
      },
    ).catch((error) => {
      throw new Error(`${String(error)}\n${container.log().split('\n').slice(-25).join('\n')}`);
    });
  }

  /** What is not ready, with the end of its log. */
  describe(): string {
    return [...this.containers.values()]
      .filter(({ ready }) => !ready)
      .map(
        (one) =>
          `--- ${one.service.name}: ${one.health}, ended with ${one.exits.join(', ') || 'nothing'}\n${one.log().split('\n').slice(-12).join('\n')}`,
      )
      .join('\n');
  }

  async close(): Promise<void> {
    await Promise.all([...this.containers.values()].map((container) => container.kill()));
    this.#network.close();
    for (const entry of readdirSync(this.#folder))
      await rm(join(this.#folder, entry), { recursive: true, force: true });
  }

  async #create(service: Service): Promise<Container> {
    const image = this.#images.get(service.image);
    if (image === undefined) throw new Error(`${service.name}: the tests have no image ${service.image}`);
    return Container.create(service, {
      folder: join(this.#folder, service.name),
      volumesDir: join(this.#folder, '.volumes'),
      namespace: service.net.kind === 'own' ? service.name : service.net.service,
      image,
    });
  }

  async #startInOrder(service: Service): Promise<void> {
    for (const [name, condition] of Object.entries(service.dependsOn)) {
      if (condition === 'service_healthy') await this.untilReady(name);
      else
        await waitFor(`${name} to start`, async () => this.container(name).running, {
          timeoutMs: waitMs,
          intervalMs: 50,
        });
    }
    await this.container(service.name).start();
  }
}
