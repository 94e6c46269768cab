/**
 * `everstep server start-dev`: takes the flags of `temporal server start-dev`, so that what starts that one, such as
 * `TestWorkflowEnvironment.createLocal`, can start this one.
 */
import { Command, Option } from 'commander';
import { limitsOf } from './dynamic-config.ts';
import { attributeOption, listOption, portOption, settingOption } from './option-values.ts';
import {
  logFormats,
  logLevels,
  serverLogger,
  type LogFormat,
  type LogLevelName,
} from './server-logger.ts';
import { runServer } from './run-server.ts';
import type { AttributeType } from '../core/search-attribute-type.ts';

interface StartDevFlags {
  readonly dbFilename?: string;
  readonly dynamicConfigValue?: Readonly<Record<string, unknown>>;
  readonly ip: string;
  readonly namespace?: readonly string[];
  readonly port: number;
  readonly searchAttribute?: Readonly<Record<string, AttributeType>>;
  readonly logFormat: LogFormat;
  readonly logLevel: LogLevelName;
  readonly metricsPort?: number;
}

/** As Temporal's development server. */
const retentionMs = 24 * 3_600_000;

export function startDevCommand(): Command {
  return new Command('start-dev')
    .description(
      'Serve on this machine, in memory unless a file is named; for development and tests.',
    )
    .option('-f, --db-filename <path>', 'SQLite file; without it all is lost at the end')
    .option('--dynamic-config-value <key=value>', 'a setting; may be repeated', settingOption)
    .option('--ip <address>', 'where to listen', '127.0.0.1')
    .option('-n, --namespace <name>', "made beside 'default'; may be repeated", listOption)
    .option('-p, --port <number>', 'where to listen', portOption, 7233)
    .option('--search-attribute <name=type>', 'to register; may be repeated', attributeOption)
    .addOption(new Option('--log-format <format>').choices(logFormats).default('text'))
    .addOption(new Option('--log-level <level>').choices(logLevels).default('warn'))
    .option('--metrics-port <number>', 'serve /metrics there, for Prometheus', portOption)
    .option('--headless', 'no web interface (there is none yet)')
    .addOption(new Option('--http-port <number>').hideHelp())
    .addOption(new Option('--log-config').hideHelp())
    .addOption(new Option('--sqlite-pragma <key=value...>').hideHelp())
    .addOption(new Option('--ui-asset-path <path>').hideHelp())
    .addOption(new Option('--ui-codec-endpoint <url>').hideHelp())
    .addOption(new Option('--ui-ip <address>').hideHelp())
    .addOption(new Option('--ui-port <number>').hideHelp())
    .addOption(new Option('--ui-public-path <path>').hideHelp())
    .action((flags: StartDevFlags) => {
      const logger = serverLogger(flags.logFormat, flags.logLevel);
      const { metricsPort } = flags;
      const options = {
        store: flags.dbFilename === undefined ? 'memory' : `sqlite:${flags.dbFilename}`,
        host: flags.ip,
        port: flags.port,
        namespaces: [...new Set(['default', ...(flags.namespace ?? [])])],
        searchAttributes: flags.searchAttribute ?? {},
        retentionMs,
        ...limitsOf(flags.dynamicConfigValue ?? {}, logger),
        logger,
      };
      const metrics = metricsPort === undefined ? undefined : { host: flags.ip, port: metricsPort };
      return runServer(options, metrics);
    });
}
