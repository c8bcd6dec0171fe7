import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

/** Where a function says when its handler was entered: a subscriber takes events of this type. */
export const ENTERED = 'bench.entered';

/** The time of a process on this machine, in milliseconds since 1970, to the microsecond. */
export const wallClock = (): number => performance.timeOrigin + performance.now();

const NODE_HANDLER = `
const at = () => performance.timeOrigin + performance.now();
export default (event) => { const entered = at(); return { type: event.reply ?? '${ENTERED}', subject: event.subject, data: { entered } }; };
`;
const PYTHON_HANDLER = `
import time
import anthropic
def main(event):
    return {"type": "${ENTERED}", "subject": event.get("subject"), "data": {"entered": time.time() * 1000}}
`;

/** Answers with its own address. */
const PROGRAM = `
import { createServer } from 'node:http';
const url = 'http://127.0.0.1:' + process.env.PORT + '/';
createServer((request, response) => request.resume().on('end', () => response.end(url))).listen(process.env.PORT, '127.0.0.1');
`;

/** A folder with manifests and the code of their functions. */
export class Flow {
  readonly folder: string;
  readonly #documents: string[] = [];

  constructor(folder: string, subscriberUrl: string) {
    this.folder = folder;
    mkdirSync(join(folder, 'functions'), { recursive: true });
    this.#trigger('entered', { type: ENTERED }, { uri: subscriberUrl });
  }

  /** A Node function that a Trigger calls for events of this type. */
  node(name: string, type: string): void {
    writeFileSync(join(this.folder, 'functions', `${name}.mjs`), NODE_HANDLER);
    this.#service(name);
    this.#trigger(name, { type }, toService(name));
  }

  /** A Python function that imports anthropic, in a folder of its own with its requirements. */
  python(name: string, type: string): void {
    const folder = join(this.folder, 'functions', name);
    mkdirSync(folder);
    writeFileSync(join(folder, 'main.py'), PYTHON_HANDLER);
    writeFileSync(join(folder, 'requirements.txt'), 'anthropic\n');
    this.#service(name);
    this.#trigger(name, { type }, toService(name));
  }

  /** A program that listens on a port of its own, and answers with its address. */
  program(name: string): void {
    writeFileSync(join(this.folder, 'functions', `${name}.server.mjs`), PROGRAM);
    const command = [process.execPath, join(this.folder, 'functions', `${name}.server.mjs`)];
    this.#add('serving.knative.dev/v1', 'Service', name, {
      template: { spec: { containers: [{ image: name, command }] } },
    });
  }

  /** Writes the manifests; the file to start with. */
  write(): string {
    const file = join(this.folder, 'flow.yaml');
    writeFileSync(file, this.#documents.map((document) => `---\n${document}\n`).join(''));
    return file;
  }

  #service(name: string): void {
    const metadata = { annotations: { 'autoscaling.knative.dev/window': '6s' } };
    this.#add('serving.knative.dev/v1', 'Service', name, {
      template: { metadata, spec: { containers: [{ image: name }] } },
    });
  }

  #trigger(name: string, attributes: object, subscriber: object): void {
    this.#add('eventing.knative.dev/v1', 'Trigger', name, { broker: 'default', filter: { attributes }, subscriber });
  }

  #add(apiVersion: string, kind: string, name: string, spec: object): void {
    this.#documents.push(JSON.stringify({ apiVersion, kind, metadata: { name }, spec }));
  }
}

const toService = (name: string) => ({ ref: { apiVersion: 'serving.knative.dev/v1', kind: 'Service', name } });
