/** Where a command finds its tasks: the options that say so, and the way in. */
import type { DataConverter } from '@temporalio/common';
import { Command, Option } from 'commander';
import type { AsyncTaskComponentOptions } from '../component/component-options.ts';
import { EverstepError } from '../service/error-codes.ts';
import { fileOption } from './option-values.ts';

/** What commander makes of the options below. */
export interface HomeFlags {
  readonly store?: string;
  readonly address?: string;
  readonly namespace?: string;
  readonly apiKey?: string;
  readonly tls?: boolean;
  readonly tlsCert?: string;
  readonly tlsKey?: string;
  readonly tlsCa?: string;
  readonly tlsServerName?: string;
  readonly dataConverter?: string;
}

const serverFlags = ['address', 'apiKey', 'tls', 'tlsCert', 'tlsKey', 'tlsCa', 'tlsServerName'];

/** Adds the options; without any of them it is TEMPORAL_ADDRESS, else the file of a component without options. */
export function withHomeOptions(command: Command): Command {
  return command
    .addOption(
      new Option(
        '--store <url>',
        "'sqlite:<path>', 'postgres://…' or 'mysql://…' (default: TEMPORAL_ADDRESS, else sqlite:.everstep/everstep.db)",
      ).conflicts(serverFlags),
    )
    .option('--address <host:port>', 'a Temporal server, or everstep server')
    .option('-n, --namespace <name>', "(default: TEMPORAL_NAMESPACE, else 'default')")
    .option('--api-key <key>', 'of the server (default: TEMPORAL_API_KEY)')
    .option('--tls', 'speak TLS to the server (default: TEMPORAL_TLS)')
    .option('--tls-cert <file>', 'certificate to show to it (PEM); with --tls-key')
    .option('--tls-key <file>', 'its private key (PEM)')
    .option('--tls-ca <file>', 'certificate that has signed the server’s (PEM)')
    .option('--tls-server-name <name>', 'the name to expect in its certificate')
    .option('--data-converter <module>', 'exports the dataConverter of the application');
}

/** componentOptions() with the data converter. @throws EverstepError COMPONENT_OPTIONS_INVALID, MODULE_LOAD_FAILED. */
export async function loadedOptions(flags: HomeFlags): Promise<AsyncTaskComponentOptions> {
  const options = componentOptions(flags);
  const { dataConverter: path } = flags;
  if (path === undefined) return options;
  const { loadModule } = await import('../integrations/load-module.ts');
  const exports = await loadModule(path);
  const dataConverter = exports['dataConverter'] ?? exports['default'];
  if (dataConverter === undefined) {
    throw new EverstepError(
      'COMPONENT_OPTIONS_INVALID',
      `--data-converter ${path} exports neither dataConverter nor a default; expected what the application gives a component.`,
    );
  }
  // Its form is checked with the other options.
  return { ...options, dataConverter: dataConverter as DataConverter };
}

/** The options of a component that submits and reads. @throws EverstepError COMPONENT_OPTIONS_INVALID. */
export function componentOptions(flags: HomeFlags): AsyncTaskComponentOptions {
  const { store, address, namespace, apiKey } = flags;
  const tls = tlsOf(flags);
  return {
    worker: false,
    ...(store !== undefined && { store }),
    ...(address !== undefined && { temporalAddress: address }),
    ...(namespace !== undefined && { namespace }),
    ...(apiKey !== undefined && { apiKey }),
    ...(tls !== undefined && { tls }),
  };
}

function tlsOf(flags: HomeFlags): AsyncTaskComponentOptions['tls'] {
  const { tls, tlsCert, tlsKey, tlsCa, tlsServerName } = flags;
  if ((tlsCert === undefined) !== (tlsKey === undefined)) {
    throw new EverstepError(
      'COMPONENT_OPTIONS_INVALID',
      '--tls-cert and --tls-key are needed together.',
    );
  }
  if (tlsCert === undefined && tlsCa === undefined && tlsServerName === undefined) return tls;
  return {
    ...(tlsServerName !== undefined && { serverNameOverride: tlsServerName }),
    ...(tlsCa !== undefined && { serverRootCACertificate: fileOption('--tls-ca', tlsCa) }),
    ...(tlsCert !== undefined &&
      tlsKey !== undefined && {
        clientCertPair: {
          crt: fileOption('--tls-cert', tlsCert),
          key: fileOption('--tls-key', tlsKey),
        },
      }),
  };
}
