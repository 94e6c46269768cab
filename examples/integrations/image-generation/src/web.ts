/** The web process, on port 3000 unless PORT or the configuration file says otherwise. */
import { announce } from './child.ts';
import { readSettings } from './settings.ts';
import { startWebServer } from './web-server.ts';

const web = await startWebServer(readSettings());
announce(web.url, () => web.close());
