/** `everstep migrate`: the tables of a database server, made or printed for whoever may make them. */
import { Command } from 'commander';
import type { Terminal } from './terminal.ts';

const examples = `
Examples:
  everstep migrate --store postgres://admin@db.example/app
  everstep migrate --store 'postgres://db.example/app?schema=jobs' --print | psql app
  everstep migrate --store mysql://db.example/app --print | mysql app

Processes make the tables themselves when they may. What --print prints makes them in a database that has none; with
--from only what is newer than that form is printed.`;

export function migrateCommand(terminal: Terminal): Command {
  return new Command('migrate')
    .description('Make the tables of a database server, or print the SQL that does.')
    .requiredOption('--store <url>', "'postgres://…' or 'mysql://…'")
    .option('--print', 'print the SQL and touch nothing')
    .option('--from <form>', 'with --print: the form that the tables have', '0')
    .addHelpText('after', examples)
    .action(
      async (flags: { readonly store: string; readonly print?: true; readonly from: string }) => {
        const { openStore } = await import('../store/open-store.ts');
        const { isDatabaseStore } = await import('./database-store.ts');
        const store = openStore(flags.store);
        if (flags.print) {
          if (!isDatabaseStore(store)) {
            throw new RangeError(
              `--print is for postgres://… and mysql://…; the ${store.description} makes its own tables.`,
            );
          }
          if (!/^\d{1,4}$/.test(flags.from)) {
            throw new RangeError(
              `--from is '${flags.from}'; expected the number of a form, 0 or more.`,
            );
          }
          terminal.out.write(store.migrationScript(Number(flags.from)));
          return;
        }
        await store.open();
        await store.close();
        terminal.out.write(`The tables of the ${store.description} are up to date.\n`);
      },
    );
}
