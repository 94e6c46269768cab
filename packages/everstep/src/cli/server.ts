/** `everstep server`: the embedded engine as a server of its own, on a store that stays. */
import { Command, Option } from 'commander';
import type { GatewayTls } from '../gateway/gateway.ts';
import { parseDuration } from '../tasks/duration.ts';
import { limitsOf } from './dynamic-config.ts';
import {
  fileOption,
  listOption,
  metricsOption,
  settingOption,
  splitAddress,
  type Address,
} from './option-values.ts';
import {
  logFormats,
  logLevels,
  serverLogger,
  type LogFormat,
  type LogLevelName,
} from './server-logger.ts';
import { runServer } from './run-server.ts';
import { startDevCommand } from './start-dev.ts';

interface ServerFlags {
  readonly store: string;
  readonly address: string;
  readonly namespace?: readonly string[];
  readonly retention: string;
  readonly tlsCert?: string;
  readonly tlsKey?: string;
  readonly tlsClientCa?: string;
  readonly apiKeys?: string;
  readonly metrics?: Address;
  readonly dynamicConfigValue?: Readonly<Record<string, unknown>>;
  readonly logFormat: LogFormat;
  readonly logLevel: LogLevelName;
}

export function serverCommand(): Command {
  return (
    new Command('server')
      .description('Serve Temporal clients from an embedded store.')
      // The same option before and after start-dev is not the same.
      .enablePositionalOptions()
      .option(
        '--store <url>',
        "'memory', 'sqlite:<path>', 'postgres://…' or 'mysql://…'",
        'sqlite:.everstep/everstep.db',
      )
      .option('--address <host:port>', 'where to listen', '127.0.0.1:7233')
      .option(
        '-n, --namespace <name>',
        "make it when it does not exist; may be repeated (default: 'default')",
        listOption,
      )
      .option('--retention <duration>', 'how long closed runs of new namespaces are kept', '30d')
      .option('--tls-cert <file>', 'certificate chain (PEM); with --tls-key')
      .option('--tls-key <file>', 'its private key (PEM)')
      .option('--tls-client-ca <file>', 'clients must show a certificate that this one has signed')
      .option('--api-keys <file>', 'who may call what; without it everybody may do everything')
      .option(
        '--metrics <host:port>',
        'serve /metrics there, for Prometheus; a port alone is of the loopback',
        metricsOption,
      )
      .option(
        '--dynamic-config-value <key=value>',
        'a limit under the name that Temporal gives it; may be repeated',
        settingOption,
      )
      .addOption(
        new Option('--log-format <format>', 'of the lines on standard error')
          .choices(logFormats)
          .default('text'),
      )
      .addOption(new Option('--log-level <level>').choices(logLevels).default('info'))
      .action((flags: ServerFlags) => {
        const { host, port } = splitAddress(flags.address);
        const retention = parseDuration(flags.retention, 0);
        if (retention.problem !== undefined) {
          throw new RangeError(`--retention ${retention.problem}.`);
        }
        const tls = tlsOf(flags);
        const logger = serverLogger(flags.logFormat, flags.logLevel);
        const options = {
          store: flags.store,
          host,
          port,
          namespaces: flags.namespace ?? ['default'],
          retentionMs: retention.ms,
          ...(tls && { tls }),
          ...(flags.apiKeys !== undefined && {
            apiKeys: fileOption('--api-keys', flags.apiKeys).toString('utf8'),
          }),
          ...limitsOf(flags.dynamicConfigValue ?? {}, logger),
          logger,
        };
        return runServer(options, flags.metrics);
      })
      .addCommand(startDevCommand())
  );
}

function tlsOf(flags: ServerFlags): GatewayTls | undefined {
  const { tlsCert, tlsKey, tlsClientCa } = flags;
  if (tlsCert === undefined && tlsKey === undefined && tlsClientCa === undefined) return undefined;
  if (tlsCert === undefined || tlsKey === undefined) {
    throw new RangeError('--tls-cert and --tls-key are needed together.');
  }
  return {
    certificate: fileOption('--tls-cert', tlsCert),
    key: fileOption('--tls-key', tlsKey),
    ...(tlsClientCa !== undefined && { clientCa: fileOption('--tls-client-ca', tlsClientCa) }),
  };
}
