/** The standard health service (grpc.health.v1), which the `temporal` CLI and load balancers ask. */
import proto from '@temporalio/proto';
import { ServiceError } from '../service/service-error.ts';
import type { Handler } from './answered-call.ts';
import {
  methodsOf,
  operatorMethods,
  workflowMethods,
  type ReflectedService,
} from './wire-method.ts';

const { Health: HealthService, HealthCheckResponse } = proto.grpc.health.v1;
const { SERVING, NOT_SERVING } = HealthCheckResponse.ServingStatus;

export const healthMethods = methodsOf(HealthService as unknown as ReflectedService);

/** What may be asked after: everything, or a service by its name. */
const services = new Set([
  '',
  ...[...workflowMethods, ...operatorMethods].map(({ path }) => path.split('/')[1] ?? ''),
]);

export class Health {
  serving = false;

  readonly handlers: Readonly<Record<string, Handler>> = {
    check: (request) => {
      const { service = '' } = request as { readonly service?: string };
      if (!services.has(service)) {
        return Promise.reject(
          new ServiceError({ code: 'NOT_FOUND', message: `There is no service ${service}.` }),
        );
      }
      return Promise.resolve({ status: this.serving ? SERVING : NOT_SERVING });
    },
  };
}
