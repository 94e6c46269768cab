/** How the office is spoken to. An answer that is none is thrown: the puller tries again. */
import type { Row } from './office.ts';

export async function call(
  url: string,
  method: 'GET' | 'POST' | 'PUT',
  signal: AbortSignal,
  body?: object,
): Promise<unknown> {
  const response = await fetch(url, {
    method,
    signal,
    ...(body && { body: JSON.stringify(body) }),
  });
  if (!response.ok) throw new Error(`${method} ${new URL(url).pathname}: ${response.status}`);
  return response.json();
}

export async function rows(
  url: string,
  method: 'GET' | 'POST',
  signal: AbortSignal,
): Promise<Row[]> {
  return (await call(url, method, signal)) as Row[];
}
