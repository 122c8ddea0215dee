// Sends a recording, watches it, and prints its translations, with nothing but fetch:
// node examples/transcribe.mjs demo/sample/1.mp3 zh,ja

import { openAsBlob } from "node:fs";
import { basename } from "node:path";
import { randomUUID } from "node:crypto";

const url = process.env.FANSCRIBE_URL ?? "http://127.0.0.1:8000";
const key = process.env.FANSCRIBE_API_KEY;
const [file, targets = "zh,ja"] = process.argv.slice(2);

async function ask(path, { headers, ...options } = {}) {
  const answer = await fetch(url + path, {
    ...options,
    headers: { ...(key && { Authorization: `Bearer ${key}` }), ...headers },
  });
  if (!answer.ok) {
    const { error } = await answer.json();
    throw new Error(`${answer.status} ${error.code}: ${error.message}`);
  }
  return answer;
}

// Each event as { event, data, id }. A browser's EventSource does the same where no key is needed.
async function* events(path) {
  const answer = await ask(path);
  let rest = "";
  for await (const text of answer.body.pipeThrough(new TextDecoderStream())) {
    const blocks = (rest + text).split("\n\n");
    rest = blocks.pop();
    for (const block of blocks) {
      const fields = block.split("\n").filter((line) => !line.startsWith(":"));
      const event = Object.fromEntries(fields.map((line) => line.split(/: (.*)/s, 2)));
      if (event.data) yield { ...event, data: JSON.parse(event.data) };
    }
  }
}

const form = new FormData();
form.append("files", await openAsBlob(file), basename(file));
form.append("targets", targets);
const created = await ask("/v1/tasks", {
  method: "POST",
  body: form,
  headers: { "Idempotency-Key": randomUUID() },
});
const { id } = await created.json();
console.log(`task ${id}`);

for await (const { event, data } of events(`/v1/tasks/${id}/events`)) {
  if (event === "segments") console.log(data.segments.map((segment) => segment.text).join(" "));
  if (event === "state") console.log(`it is ${data.state}`);
}

const result = await (await ask(`/v1/tasks/${id}/result`)).json();
for (const [language, texts] of Object.entries(result)) {
  for (const [textId, sources] of Object.entries(texts)) {
    console.log(`${language}  ${textId}  ${sources.A ?? "failed"}`);
  }
}
