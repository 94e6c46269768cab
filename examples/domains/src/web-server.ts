/** `POST /orders` takes a pizza, `GET /orders/<id>` says how it is, and `GET /hello/<name>` greets. */
import { createServer, type IncomingMessage, type Server } from 'node:http';
import type { AsyncTaskComponent } from 'everstep';
import { TASK_QUEUE as helloQueue } from '../domains/hello/index.ts';
import type { PizzaOrder } from '../domains/pizza/pizza-order.ts';
import { pizzaWorkflow } from '../domains/pizza/workflow.ts';

const bodyBytesMax = 10_000;

/** The component must know `pizzaWorkflow`. */
export function webServer(component: AsyncTaskComponent): Server {
  return createServer((request, response) => {
    answer(component, request).then(
      ([status, body]) => response.writeHead(status).end(JSON.stringify(body)),
      (error: unknown) => {
        const [status, message] = problemOf(error);
        response.writeHead(status).end(JSON.stringify({ error: message }));
      },
    );
  });
}

async function answer(
  component: AsyncTaskComponent,
  request: IncomingMessage,
): Promise<readonly [number, object]> {
  const { workflow } = component.getClient();
  const [, what, name] = (request.url ?? '').split('/').map(decodeURIComponent);
  if (request.method === 'POST' && what === 'orders' && name === undefined) {
    const order = JSON.parse(await bodyOf(request)) as PizzaOrder | null;
    if (typeof order !== 'object' || order === null) return [400, { error: 'Expected an order.' }];
    // One run for one order: while it runs the same answer again, and after that a refusal.
    const { workflowId } = await pizzaWorkflow.start(order, {
      workflowId: `order-${String(order.id)}`,
      workflowIdConflictPolicy: 'USE_EXISTING',
      workflowIdReusePolicy: 'REJECT_DUPLICATE',
    });
    return [202, { workflowId }];
  }
  if (request.method === 'GET' && what === 'orders' && name) {
    const handle = workflow.getHandle(`order-${name}`);
    const { status } = await handle.describe();
    return [200, { status: status.name }];
  }
  if (request.method === 'GET' && what === 'hello' && name) {
    const greeting = await workflow.execute('hello', {
      taskQueue: helloQueue,
      workflowId: `hello-${name}`,
      workflowIdConflictPolicy: 'USE_EXISTING',
      args: [name],
    });
    return [200, { greeting: String(greeting) }];
  }
  return [404, { error: 'There are POST /orders, GET /orders/<id> and GET /hello/<name>.' }];
}

async function bodyOf(request: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = [];
  let bytes = 0;
  for await (const chunk of request as AsyncIterable<Buffer>) {
    bytes += chunk.length;
    if (bytes > bodyBytesMax) throw new RangeError(`An order has at most ${bodyBytesMax} bytes.`);
    chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString('utf8');
}

const statusByName = new Map([
  ['WorkflowNotFoundError', 404],
  ['WorkflowExecutionAlreadyStartedError', 409],
]);

function problemOf(error: unknown): readonly [number, string] {
  if (!(error instanceof Error)) return [500, String(error)];
  const isTheirs =
    error instanceof SyntaxError ||
    error instanceof RangeError ||
    error instanceof URIError ||
    ('code' in error && error.code === 'WORKFLOW_INPUT_INVALID');
  if (isTheirs) return [400, error.message];
  return [statusByName.get(error.name) ?? 500, error.message];
}
