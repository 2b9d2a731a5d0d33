// SPDX-License-Identifier: GPL-3.0-or-later
// A program over the generated client: compiled strictly, so that what the document says of types is checked, too.
import { strict as assert } from "node:assert";
import { client } from "./client/client.gen.js";
import * as api from "./client/sdk.gen.js";
import type { Change, Record as StoredRecord } from "./client/types.gen.js";

declare const process: { argv: string[] };
const [url, token, reader] = process.argv.slice(2) as [string, string, string];
client.setConfig({ baseUrl: `${url}/api/v1`, auth: () => token });

const made = await api.addRecord({
  body: { kind: "contact", owner: "gen@contoso.example", fields: { givenName: "Olga" } },
  headers: { "Idempotency-Key": "generated-1" },
});
assert.equal(made.response.status, 201);
const record: StoredRecord = made.data!;
assert.equal(record.version, 1);
const etag = made.response.headers.get("ETag")!;

const changed = await api.changeRecord({
  path: { id: record.id },
  body: { fields: { givenName: "Eva" } },
  headers: { "If-Match": etag },
});
assert.equal(changed.data!.version, 2);

const stale = await api.changeRecord({
  path: { id: record.id },
  body: { fields: { givenName: "Ida" } },
  headers: { "If-Match": etag },
});
assert.equal(stale.response.status, 412);
assert.equal(stale.error!.code, "precondition-failed");
assert.equal(stale.error!.current!.version, 2);

for (let i = 0; i < 12; ++i)
  await api.addRecord({ body: { kind: "task", owner: "gen@contoso.example", fields: { subject: `${i}` } } });
const seen: string[] = [];
let cursor: string | undefined;
do {
  const page = await api.listRecords({ query: { owner: "gen@contoso.example", limit: 5, ...(cursor ? { cursor } : {}) } });
  seen.push(...page.data!.items.map((one) => one.id));
  cursor = page.data!.next ?? undefined;
} while (cursor);
assert.equal(new Set(seen).size, 13);

let after: string | undefined;
const changes: Change[] = [];
do {
  const page = await api.listChanges({ query: { owner: "gen@contoso.example", limit: 4, ...(after ? { after } : {}) } });
  changes.push(...page.data!.changes);
  after = page.data!.next;
  if (!page.data!.more) break;
} while (true);
assert.deepEqual(new Set(changes.map((one) => one.record.id)), new Set(seen));

const refused = await api.deleteRecord({ path: { id: record.id }, headers: { "If-Match": "*" }, auth: () => reader });
assert.equal(refused.response.status, 403);
assert.equal((await api.deleteRecord({ path: { id: record.id }, headers: { "If-Match": "*" } })).data!.deleted, true);

assert.equal((await api.getOrganisation()).data!.settings["name"], "Contoso");
assert.equal((await api.listMailboxes({ query: { approval: "pending" } })).data!.items.length, 2);
const approved = await api.approveMailbox({ path: { address: "ana@contoso.example" }, body: {} });
assert.equal(approved.data!.changed, true);
assert.equal((await api.getMailbox({ path: { address: "ana@contoso.example" } })).data!.approval.status, "approved");
assert.ok((await api.listRules()).data!.items.length > 50);
const created = await api.createToken({ body: { name: "made by the client", role: "read-only" } });
assert.ok(created.data!.token!.startsWith("syncline_"));
assert.equal((await api.revokeToken({ path: { id: created.data!.id } })).data!.state, "revoked");
assert.ok((await api.listAudit()).data!.items.some((one) => one.act === "token.revoke"));
assert.equal((await api.getStatus()).data!.mailboxes.length, 2);
assert.equal((await api.setProfileSecret({ path: { name: "Basement", kind: "password" }, body: { secret: "x" } })).response.status, 204);
console.log("ok");
