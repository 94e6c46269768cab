/** Restate: its handlers in this process behind an endpoint, called through the ingress, which is the shortest way. */
import { createServer, type Http2ServerRequest, type Http2ServerResponse } from 'node:http2';
import type { OneStepParams } from '../../params.ts';
import { loadPackage } from '../packages-folder.ts';
import { freePort } from '../servers/server.ts';
import { urlOf, type StartEngine } from './engine.ts';

interface NumberParams {
  readonly number: number;
}
interface Context {
  run<Result>(name: string, step: () => Result): Promise<Result>;
}
type Handler = (context: Context, params: NumberParams) => Promise<number>;
interface Service {
  readonly name: string;
}
interface Sdk {
  service(definition: {
    readonly name: string;
    readonly handlers: Readonly<Record<string, Handler>>;
  }): Service;
  createEndpointHandler(options: {
    readonly services: readonly Service[];
    readonly logger: () => void;
  }): (request: Http2ServerRequest, response: Http2ServerResponse) => void;
}
interface Clients {
  connect(options: { readonly url: string }): {
    serviceClient(service: Service): {
      oneStep(params: OneStepParams): Promise<number>;
      fiveSteps(params: NumberParams): Promise<number>;
    };
  };
}

export const startEngine: StartEngine = async (setting) => {
  const sdk = await loadPackage<Sdk>(setting.packages, '@restatedev/restate-sdk');
  const clients = await loadPackage<Clients>(setting.packages, '@restatedev/restate-sdk-clients');
  const service = sdk.service({
    name: 'bench',
    handlers: {
      oneStep: (context, { number }) => context.run('one', () => number + 1),
      fiveSteps: async (context, { number }) => {
        const one = await context.run('one', () => number + 1);
        const two = await context.run('two', () => one + 1);
        const three = await context.run('three', () => two + 1);
        const four = await context.run('four', () => three + 1);
        return context.run('five', () => four + 1);
      },
    },
  });
  // HTTP/2, on which a handler and its server talk both ways in one request.
  const endpoint = createServer(
    sdk.createEndpointHandler({ services: [service], logger: () => {} }),
  );
  const port = await freePort();
  await new Promise<void>((resolve) => endpoint.listen(port, '127.0.0.1', resolve));
  const registered = await fetch(`${urlOf(setting, 'admin')}/deployments`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ uri: `http://127.0.0.1:${port}` }),
  });
  if (!registered.ok)
    throw new Error(`Restate does not take the endpoint: ${await registered.text()}`);
  const client = clients.connect({ url: urlOf(setting, 'ingress') }).serviceClient(service);
  return {
    oneStep: (params) => client.oneStep(params),
    fiveSteps: (params) => client.fiveSteps(params),
    // Its connections stay open until the server ends; this process ends before.
    stop: async () => {},
  };
};
