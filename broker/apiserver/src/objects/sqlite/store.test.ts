import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { objectStoreContract } from '../store.contract.ts';
import { openSqliteObjects } from './store.ts';

objectStoreContract('sqlite', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'millrace-objects-'));
  let store = openSqliteObjects(folder);
  return {
    store,
    async reopen() {
      await store.close();
      store = openSqliteObjects(folder);
      return store;
    },
    async end() {
      await store.close();
      rmSync(folder, { recursive: true });
    },
  };
});
