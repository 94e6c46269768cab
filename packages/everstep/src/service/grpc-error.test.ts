import { expect, test } from 'vitest';
import { grpcErrorOf } from './grpc-error.ts';
import { ServiceError } from './service-error.ts';

/** What Node.js sends of it: the message with a percent sign before each byte, and the details as text. */
function trailerBytes(error: ServiceError): number {
  const { details, metadata } = grpcErrorOf(error);
  const [status] = metadata.get('grpc-status-details-bin');
  return encodeURIComponent(details).length + Buffer.from(status ?? '').toString('base64').length;
}

const long = '€'.repeat(1_000_000);

test.each([
  new ServiceError({
    code: 'INVALID_ARGUMENT',
    message: long,
    detail: { kind: 'queryFailed', failure: { message: long, stackTrace: long } },
  }),
  new ServiceError({
    code: 'NOT_FOUND',
    message: long,
    detail: { kind: 'namespaceNotFound', namespace: long },
  }),
  new ServiceError({
    code: 'PERMISSION_DENIED',
    message: long,
    detail: { kind: 'permissionDenied', reason: long },
  }),
  new ServiceError({
    code: 'INVALID_ARGUMENT',
    message: long,
    detail: {
      kind: 'multiOperation',
      refusals: [{ code: 'INVALID_ARGUMENT', message: long }, undefined],
    },
  }),
])('what is said in an error never grows beyond what trailers hold (15): %#', (error) => {
  expect(trailerBytes(error)).toBeGreaterThan(1_000);
  expect(trailerBytes(error)).toBeLessThan(64_000);
});
