// One verification by @better-auth/api-key in its fastest mode: keys in a secondary storage in this process, no rate limit of
// its own, updates deferred to the background and dropped there. It speaks as worker.py does.
import { createInterface } from "node:readline";
import { apiKey } from "@better-auth/api-key";
import { betterAuth } from "better-auth";
import { memoryAdapter } from "better-auth/adapters/memory";

const kept = new Map();
const auth = betterAuth({
  secret: "dGhpcyBpcyBhIGJlbmNobWFyaw-9f2c7b61e05d4a38",
  baseURL: "http://localhost:3000",
  telemetry: { enabled: false },
  logger: { disabled: true },
  database: memoryAdapter({ user: [], session: [], account: [], verification: [], apikey: [] }),
  secondaryStorage: {
    get: async (key) => kept.get(key) ?? null,
    set: async (key, value) => void kept.set(key, value),
    delete: async (key) => void kept.delete(key),
  },
  advanced: { backgroundTasks: { handler: () => {} } },
  plugins: [apiKey({ storage: "secondary-storage", deferUpdates: true, rateLimit: { enabled: false } })],
});
const { internalAdapter } = await auth.$context;
const user = await internalAdapter.createUser({ email: "a@example.com", name: "a", emailVerified: true });
const { key } = await auth.api.createApiKey({ body: { userId: user.id, name: "benchmark" } });

async function verify() {
  const verdict = await auth.api.verifyApiKey({ body: { key } });
  if (!verdict.valid) throw new Error(JSON.stringify(verdict.error));
}

await verify();
console.log("ready");
for await (const line of createInterface({ input: process.stdin })) {
  const count = Number(line);
  const before = process.cpuUsage();
  for (let done = 0; done < count; done++) await verify();
  const { user, system } = process.cpuUsage(before);
  console.log((user + system) / count);
}
