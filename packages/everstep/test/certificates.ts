/** Certificates for one file of tests, made by the system's openssl: `server`, `worker-1`, and `stranger` of another authority. */
import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

export class Certificates {
  readonly #folder = mkdtempSync(join(tmpdir(), 'everstep-tls-'));

  constructor() {
    for (const ca of ['ca', 'other-ca']) {
      this.#key(ca);
      this.#openssl('req', '-x509', '-key', `${ca}.key`, '-out', `${ca}.crt`, '-subj', `/CN=${ca}`);
    }
    writeFileSync(join(this.#folder, 'names'), 'subjectAltName=DNS:localhost,IP:127.0.0.1\n');
    for (const [name, ca] of [
      ['server', 'ca'],
      ['worker-1', 'ca'],
      ['stranger', 'other-ca'],
    ] as const) {
      this.#key(name);
      const request = ['-key', `${name}.key`, '-out', `${name}.csr`, '-subj', `/CN=${name}`];
      this.#openssl('req', '-new', ...request);
      const signed = ['-CA', `${ca}.crt`, '-CAkey', `${ca}.key`, '-CAcreateserial'];
      const io = ['-in', `${name}.csr`, '-out', `${name}.crt`, '-extfile', 'names'];
      this.#openssl('x509', '-req', ...io, ...signed);
    }
  }

  /** Such as `ca.crt`, `server.key`. */
  file(name: string): Buffer {
    return readFileSync(join(this.#folder, name));
  }

  /** The options of a client that trusts `ca` and shows the certificate of that name. */
  clientOf(name: string) {
    return {
      tls: {
        serverRootCACertificate: this.file('ca.crt'),
        clientCertPair: { crt: this.file(`${name}.crt`), key: this.file(`${name}.key`) },
      },
    };
  }

  remove(): void {
    rmSync(this.#folder, { recursive: true, force: true });
  }

  #key(name: string): void {
    this.#openssl('ecparam', '-name', 'prime256v1', '-genkey', '-noout', '-out', `${name}.key`);
  }

  #openssl(...args: string[]): void {
    execFileSync('openssl', args, { cwd: this.#folder, stdio: 'ignore' });
  }
}
